// Attributes of an op as text.
#include "graph/fields.h"

#include <utility>
#include <vector>

#include "core/error.h"

namespace layernet {

namespace {

class TextVisitor final : public FieldVisitor {
 public:
  std::vector<std::pair<std::string, std::string>> fields;
  void operator()(const char* name, bool& v) override { fields.emplace_back(name, v ? "true" : "false"); }
  void operator()(const char* name, std::int64_t& v) override { fields.emplace_back(name, std::to_string(v)); }
  void operator()(const char* name, double& v) override { fields.emplace_back(name, text(v)); }
  void operator()(const char* name, DType& v) override { fields.emplace_back(name, name_of(v)); }
  void operator()(const char* name, Ints& v) override { fields.emplace_back(name, text(v)); }
  void operator()(const char* name, Shape& v) override { fields.emplace_back(name, to_string(v)); }
  void choice(const char* name, int& v, const char* const* words, int) override { fields.emplace_back(name, words[v]); }
};

}  // namespace

std::string attributes_text(const OpDef& op, const void* attributes, bool all) {
  TextVisitor own, standard;
  op.visit(const_cast<void*>(attributes), own);  // visitors that only read leave the attributes alone
  op.visit(const_cast<void*>(op.defaults.get()), standard);
  std::string s;
  for (std::size_t i = 0; i < own.fields.size(); ++i) {
    if (!all && own.fields[i] == standard.fields[i]) continue;
    s += (s.empty() ? "" : ", ") + own.fields[i].first + "=" + own.fields[i].second;
  }
  return s;
}

}  // namespace layernet
