// libFuzzer target (make fuzz): any bytes are read or refused with a FormatError; what is read is compiled and run
// once. Inputs that begin with '{' are the JSON of a graph over a few tensors, so that mutations need not get through
// the frame around it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "layernet/predictor_file.h"
#include "plan/safetensors.h"

using namespace layernet;

namespace {

constexpr std::int64_t kRows = 2;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 24;

std::string framed(std::string graph) {
  std::vector<NamedTensor> tensors;
  const auto add = [&](const char* name, DType dtype, Shape shape) {
    tensors.push_back(NamedTensor{name, Tensor::zeros(Spec(dtype, std::move(shape)))});
  };
  add("w", DType::float32, Shape{Dim(3), Dim(2)});
  add("b", DType::float32, Shape{Dim(2)});
  add("f", DType::float32, Shape{Dim(2), Dim(2), Dim(3), Dim(2)});
  add("d", DType::float32, Shape{Dim(2), Dim(2), Dim(3)});
  add("t", DType::float32, Shape{Dim(2), Dim(2), Dim(2), Dim(3)});
  add("constant/i", DType::int64, Shape{Dim(2)});
  add("constant/c", DType::bool_, Shape{Dim(2)});
  // The reader refuses tensors that the graph does not read.
  for (std::size_t i = tensors.size(); i-- > 0;)
    if (graph.find("\"" + tensors[i].name + "\"") == std::string::npos)
      tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(i));
  const SafetensorsParts parts = safetensors_parts(tensors, {{"layernet", std::move(graph)}});
  std::string content = parts.head;
  for (const Tensor& t : parts.tensors) content.append(static_cast<const char*>(t.data()), t.bytes());
  return content;
}

// Bytes of a port, or -1 when they are too many to try.
std::int64_t bytes_of(const Spec& spec) {
  std::int64_t bytes = static_cast<std::int64_t>(item_size(spec.dtype));
  for (const Dim d : spec.shape)
    if (__builtin_mul_overflow(bytes, d.at(kRows), &bytes) || bytes > kMostBytes) return -1;
  return bytes;
}

bool allocate(const std::vector<PlanPort>& ports, std::vector<std::unique_ptr<double[]>>* memory,
              std::vector<void*>* at) {
  for (const PlanPort& port : ports) {
    const std::int64_t bytes = bytes_of(port.spec);
    if (bytes < 0) return false;
    memory->push_back(std::make_unique<double[]>(static_cast<std::size_t>(bytes) / sizeof(double) + 1));
    at->push_back(memory->back().get());
  }
  return true;
}

void run(const Plan& plan) {
  std::vector<std::unique_ptr<double[]>> memory;
  std::vector<void*> in, out;
  if (!allocate(plan.inputs(), &memory, &in) || !allocate(plan.outputs(), &memory, &out)) return;
  for (const PlanStepInfo& step : plan.steps())
    if (step.flops + step.flops_per_row * kRows > 1e8) return;
  const std::vector<const void*> sources(in.begin(), in.end());
  try {
    const WorkspaceLease lease(plan, kRows);
    plan.run(kRows, sources.data(), out.data(), *lease);
  } catch (const std::bad_alloc&) {
    // values in between may be as large as the file says
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string content(reinterpret_cast<const char*>(data), size);
  try {
    if (size != 0 && data[0] == '{') content = framed(std::move(content));
  } catch (const InvalidArgumentError&) {
    return 0;  // not UTF-8: framed() writes no such file
  }
  try {
    run(*load_plan(PredictorFile::parse(content.data(), content.size())));
  } catch (const FormatError&) {
  }
  return 0;
}
