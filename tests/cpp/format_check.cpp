// The reader of predictor files on damaged ones. With paths: every file must be refused with a FormatError. Without: a
// file made here is cut at every byte and changed at every byte, and must be read or refused, never more.
#include <cstdio>
#include <string>
#include <vector>

#include "check.h"
#include "graph/emitter.h"
#include "layernet/predictor_file.h"
#include "plan/json.h"

using namespace layernet;

namespace {

// Whether the content was refused; `message` says why.
bool refused(const std::string& content, std::string* message) {
  try {
    PredictorFile::parse(content.data(), content.size()).graph();
    return false;
  } catch (const FormatError& e) {
    *message = e.what();
    return true;
  }
}

// x -> leaky_relu(x w), with a constant and a variable.
PredictorFile small_file(DType weights = DType::float32) {
  const Value x = placeholder(Spec(DType::float32, Shape{Dim::batch(), Dim(3)}), "x");
  const auto w = std::make_shared<Variable>(Tensor::zeros(Spec(DType::float32, Shape{Dim(3), Dim(2)})));
  const OpDef *dense = find_op("dense"), *add = find_op("add"), *act = find_op("leaky_relu");
  Values y = emit_symbolic(*dense, dense->defaults.get(), {x, read_symbolic(w)}, Targets());
  y = emit_symbolic(*add, add->defaults.get(), {y[0], Tensor::scalar(0.5, DType::float32)}, Targets());
  y = emit_symbolic(*act, act->defaults.get(), {y[0]}, Targets());
  PredictorFile::Names names;
  names.variables.emplace_back(w.get(), "net/dense/kernel \"\\\xC3\xA9");
  names.outputs = {"y"};
  return PredictorFile::of(Graph({x}, {y[0]}), names, R"({"inputs":null,"outputs":[1,"a"]})", weights);
}

void check_round_trip(const std::string& content) {
  const PredictorFile file = PredictorFile::parse(content.data(), content.size());
  const Graph graph = file.graph();
  CHECK(graph.inputs().size() == 1 && graph.outputs().size() == 1);
  CHECK(file.bytes() == content);
  CHECK(file.structure() == R"({"inputs":null,"outputs":[1,"a"]})");
  CHECK(file.input_names() == std::vector<std::string>{"x"});
  CHECK(file.output_names() == std::vector<std::string>{"y"});
  CHECK(graph.nodes().size() == 4);
  CHECK(graph.nodes()[0]->name == "net/dense/kernel \"\\\xC3\xA9");
  PredictorFile::Names names;
  names.outputs = file.output_names();
  CHECK(PredictorFile::of(graph, names, file.structure()).bytes() == content);
}

void check_damage(const std::string& content) {
  std::string message;
  for (std::size_t size = 0; size < content.size(); ++size)
    CHECK_NOTE(refused(content.substr(0, size), &message), "cut at %zu", size);
  for (std::size_t at = 0; at < content.size(); ++at)
    for (const int change : {0x01, 0x02, 0x20, 0x80, 0xFF}) {
      std::string other = content;
      other[at] = static_cast<char>(other[at] ^ change);
      refused(other, &message);
      CHECK(message.size() < 600);
    }
}

double number(const char* text) {
  const JsonDocument document(text, "test");
  return document.root().number("it");
}

void check_json() {
  CHECK(number("0") == 0 && number("-1.5e-3") == -1.5e-3 && number("1E+2") == 100 && number("\"-inf\"") < -1e308);
  for (const double v : {0.1, 1.0 / 3, 1e-300, -123456789.123456789, 5e-324, 1.7976931348623157e308 / 2})
    CHECK(number(json_number(v).c_str()) == v);
  const JsonDocument text(
      R"( ["\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t", -9223372036854775808, 9223372036854775807, true, {}, []] )", "test");
  const std::vector<JsonValue> items = text.root().items("it");
  CHECK(items.size() == 6);
  CHECK(items[0].string("it") == "\xC3\xA9\xF0\x9F\x98\x80\"\\/\b\f\n\r\t");
  CHECK(items[1].integer("it") == INT64_MIN && items[2].integer("it") == INT64_MAX && items[3].boolean("it"));
  CHECK(items[4].members("it").empty() && items[5].items("it").empty());
  const std::string deep = std::string(64, '[') + std::string(64, ']');
  CHECK(JsonDocument(deep, "test").root().is_array());
}

std::string content_of(const char* path) {
  std::string content;
  FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return content;
  char block[65536];
  for (std::size_t got; (got = std::fread(block, 1, sizeof block, file)) != 0;) content.append(block, got);
  std::fclose(file);
  return content;
}

}  // namespace

int main(int argc, char** argv) {
  std::string message;
  for (int i = 1; i < argc; ++i) {
    CHECK_NOTE(refused(content_of(argv[i]), &message), "%s was read", argv[i]);
    message.clear();
    try {
      PredictorFile::open(argv[i]).graph();
    } catch (const FormatError& e) {
      message = e.what();
    }
    CHECK_NOTE(message.find(argv[i]) == 0, "%s: %s", argv[i], message.c_str());
  }
  if (argc == 1) {
    const std::string content = small_file().bytes();
    check_round_trip(content);
    check_damage(content);
    for (const DType weights : {DType::bfloat16, DType::int8}) check_damage(small_file(weights).bytes());
    check_json();
  }
  return check::result();
}
