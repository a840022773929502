// The copy of a variable's old value for who reads it after an update.
#include "plan/copy.h"

#include <cstring>

namespace layernet {

namespace {

struct Copy {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out;
    out.push_back(in[0]);
    return out;
  }
  void prepare(Preparation& p) const {
    p.params<std::size_t>() = item_size(p.in(0).dtype);
    p.run(run, "copy");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const std::size_t bytes = b.out[0].size() * step.get<std::size_t>();
    if (bytes != 0) std::memcpy(b.out[0].data, b.in[0].data, bytes);
  }
};

}  // namespace

const OpDef copy_op = define_op<Copy>("copy", "x", {0, -1, true, nullptr});

}  // namespace layernet
