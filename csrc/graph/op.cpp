// The registry, and preparing an op for its element types.
//
// Half precision: float16 and bfloat16 are storage types. An op that does not move bytes only is prepared for float32
// and run between conversions of its inputs and outputs, in one place for all ops; each output is rounded once.
#include "layernet/op.h"

#include <cstring>

#include "core/error.h"
#include "graph/emitter.h"
#include "kernels/dispatch.h"
#include "kernels/table.h"

namespace layernet {

#define LN_OP(name) extern const OpDef name##_op;
#include "ops/ops.def"
#undef LN_OP

namespace {

const OpDef* const kOps[] = {
#define LN_OP(name) &name##_op,
#include "ops/ops.def"
#undef LN_OP
};
constexpr std::size_t kOpCount = sizeof kOps / sizeof kOps[0];

constexpr std::size_t kMaxPorts = 8;

struct HalfParams {
  std::uint8_t inputs = 0, outputs = 0;
  std::uint8_t in_type[kMaxPorts] = {}, out_type[kMaxPorts] = {};
};

DType widened(DType t) {
  return is_half(t) ? DType::float32 : t;
}

// Scratch: a float32 copy of every half input and output, then the inner op's own.
void run_half(const Step& step, const Buffers& b) noexcept {
  const HalfParams& p = step.get<HalfParams>();
  View in[kMaxPorts], out[kMaxPorts];
  auto* at = static_cast<unsigned char*>(b.scratch);
  auto place = [&](const View& v) {
    void* where = at;
    at += scratch_part(v.size() * sizeof(float));
    return where;
  };
  const int f32 = static_cast<int>(DType::float32);
  for (int i = 0; i < p.inputs; ++i) {
    in[i] = b.in[i];
    if (!is_half(static_cast<DType>(p.in_type[i]))) continue;
    in[i].data = place(b.in[i]);
    step.kernels->cast(b.in[i].data, p.in_type[i], in[i].data, f32, b.in[i].size());
  }
  for (int i = 0; i < p.outputs; ++i) {
    out[i] = b.out[i];
    if (is_half(static_cast<DType>(p.out_type[i]))) out[i].data = place(b.out[i]);
  }
  step.inner->run(*step.inner, Buffers{in, out, at});
  for (int i = 0; i < p.outputs; ++i)
    if (is_half(static_cast<DType>(p.out_type[i])))
      step.kernels->cast(out[i].data, f32, b.out[i].data, p.out_type[i], b.out[i].size());
}

void prepare_half(const OpDef& op, const void* attributes, const InSpecs& in, const Specs& out, Step& step) {
  if (in.size() > kMaxPorts || out.size() > kMaxPorts)
    throw DTypeError(join(op.name, ": expected at most ", static_cast<int>(kMaxPorts),
                          " float16 or bfloat16 inputs, got ", in.size(), ". Cast them to float32 first."));
  Specs wide_in, wide_out;
  SmallVector<const Spec*, 8> pointers;
  for (std::size_t i = 0; i < in.size(); ++i) wide_in.emplace_back(widened(in.dtype(i)), in.shape(i));
  for (const Spec& s : wide_in) pointers.push_back(&s);
  for (const Spec& s : out) wide_out.emplace_back(widened(s.dtype), s.shape);
  step.inner = std::make_unique<Step>();
  prepare_step(op, attributes, InSpecs(pointers.data(), pointers.size()), wide_out, nullptr, *step.inner);

  Preparation p(in, out, nullptr, step);
  HalfParams& params = p.params<HalfParams>();
  params.inputs = static_cast<std::uint8_t>(in.size());
  params.outputs = static_cast<std::uint8_t>(out.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    params.in_type[i] = static_cast<std::uint8_t>(in.dtype(i));
    if (is_half(in.dtype(i))) p.scratch(element_count(in.shape(i), op.name), sizeof(float));
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    params.out_type[i] = static_cast<std::uint8_t>(out[i].dtype);
    if (is_half(out[i].dtype)) p.scratch(element_count(out[i].shape, op.name), sizeof(float));
  }
  step.scratch_bytes += step.inner->scratch_bytes;
  step.scratch_bytes_per_n += step.inner->scratch_bytes_per_n;
  p.run(run_half, step.inner->kernel_name);
}

}  // namespace

const OpDef* find_op(const char* name) noexcept {
  for (const OpDef* op : kOps)
    if (std::strcmp(op->name, name) == 0) return op;
  return nullptr;
}
std::size_t op_count() noexcept {
  return kOpCount;
}
const OpDef& op_at(std::size_t i) noexcept {
  return *kOps[i];
}

void Preparation::scratch(Dim count, std::size_t item) {
  const Dim bytes = multiply(count, Dim(static_cast<std::int64_t>(item)), "scratch");
  if (bytes.is_batch()) {
    step_.scratch_bytes_per_n += bytes.batch_multiple();
    step_.scratch_bytes += 63;  // rounding up of c*N to 64
  } else {
    step_.scratch_bytes += static_cast<std::int64_t>(scratch_part(static_cast<std::size_t>(bytes.value())));
  }
}

void* Preparation::keep(std::size_t bytes, std::uint32_t replaced) {
  auto room = std::make_shared<Ref<Storage>>(Storage::allocate(bytes));
  step_.kept = (*room)->data;
  step_.kept_bytes = bytes;
  step_.replaced = replaced;
  step_.constants = std::move(room);
  return const_cast<void*>(step_.kept);
}

void Preparation::elementwise() noexcept {
  step_.elementwise = step_.last_axis = true;
  for (std::size_t i = 0; i < in_.size(); ++i)
    if (in_[i] == out_[0]) in_place(i);
}

void prepare_step(const OpDef& op, const void* attributes, const InSpecs& in, const Specs& out, const Tensor* constants,
                  Step& step, DType weights) {
  step.attributes = attributes;
  step.kernels = &kernels::active_kernels();
  if (!op.any_type) {
    bool half = false;
    for (std::size_t i = 0; i < in.size(); ++i) half = half || is_half(in.dtype(i));
    for (const Spec& s : out) half = half || is_half(s.dtype);
    if (half) return prepare_half(op, attributes, in, out, step);
  }
  Preparation p(in, out, constants, step, weights);
  op.prepare(attributes, p);
}

}  // namespace layernet
