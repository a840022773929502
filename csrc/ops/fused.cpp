// The rules of fused.h: gradients of activations by name, and fusion, which is knowledge about batch norms, biases and
// activations rather than about one product.
#include "ops/fused.h"

#include <vector>

namespace layernet {

namespace {

// Attributes of an activation or of its gradient, read by name.
class ActivationReader final : public FieldVisitor {
 public:
  double alpha = 1.0;
  bool approximate = false;
  void operator()(const char* name, bool& v) override {
    if (std::strcmp(name, "approximate") == 0) approximate = v;
  }
  void operator()(const char* name, double& v) override {
    if (std::strcmp(name, "alpha") == 0) alpha = v;
  }
  void operator()(const char*, std::int64_t&) override {}
  void operator()(const char*, DType&) override {}
  void operator()(const char*, Ints&) override {}
  void operator()(const char*, Shape&) override {}
  void choice(const char*, int&, const char* const*, int) override {}
};

// w' = w scale and b' = b scale + shift, in float64 (for batch norm: Jacob et al. 2018, 3.2). The channels are the
// weights' last axis, or the first.
template <class T>
void fold_scale_shift(std::vector<FusionInput>& inputs, const ScaleShift& by, bool channels_last) {
  const Tensor w = inputs[1].constant;
  const std::size_t n = by.scale.size(), size = static_cast<std::size_t>(w.size()), run = channels_last ? 1 : size / n;
  Tensor scaled = Tensor::empty(w.spec());
  T* to = static_cast<T*>(scaled.mutable_data());
  for (std::size_t i = 0; i < size; ++i)
    to[i] = static_cast<T>(static_cast<double>(w.as<T>()[i]) * by.scale[i / run % n]);
  Tensor shift = Tensor::empty(Spec(w.dtype(), Shape{Dim(static_cast<std::int64_t>(n))}));
  const T* bias = inputs.size() > 2 ? inputs[2].constant.as<T>() : nullptr;
  for (std::size_t j = 0; j < n; ++j)
    static_cast<T*>(shift.mutable_data())[j] =
        static_cast<T>((bias != nullptr ? static_cast<double>(bias[j]) * by.scale[j] : 0.0) + by.shift[j]);
  inputs.resize(2);
  inputs[1] = FusionInput{scaled.spec(), std::move(scaled), -1};
  inputs.push_back(FusionInput{shift.spec(), std::move(shift), -1});
}

bool absorb_scale_shift(const Fusion& f, bool channels_last) {
  if (f.next.scale_shift == nullptr || f.position != 0) return false;
  for (std::size_t i = 1; i < f.inputs.size(); ++i)
    if (!f.inputs[i].constant) return false;
  std::vector<Tensor> constants;
  for (const FusionInput& input : f.next_inputs) constants.push_back(input.constant);
  const ScaleShift by = f.next.scale_shift(f.next_attributes, f.result, constants.data());
  if (by.scale.empty()) return false;
  f.result.dtype == DType::float64 ? fold_scale_shift<double>(f.inputs, by, channels_last)
                                   : fold_scale_shift<float>(f.inputs, by, channels_last);
  return true;
}

}  // namespace

int activation_of(const OpDef& op, const void* attributes, const char* suffix, double* alpha) {
  const std::size_t length = std::strlen(op.name), cut = std::strlen(suffix);
  if (length <= cut || std::strcmp(op.name + length - cut, suffix) != 0) return kernels::kActNone;
  for (int i = 1; i < kernels::kActCount; ++i) {
    if (std::strlen(kActivations[i]) != length - cut || std::strncmp(op.name, kActivations[i], length - cut) != 0)
      continue;
    ActivationReader reader;
    op.visit(const_cast<void*>(attributes), reader);
    *alpha = reader.alpha;
    return i == kernels::kActGelu && reader.approximate ? static_cast<int>(kernels::kActGeluTanh) : i;
  }
  return kernels::kActNone;
}

bool FusedFields::absorb(const Fusion& f, bool channels_last, bool takes_residual) {
  if (activation != kernels::kActNone) return false;
  activation = activation_of(f.next, f.next_attributes, "", &alpha);
  if (activation != kernels::kActNone) return true;
  if (f.inputs.size() == 4) return false;
  if (absorb_scale_shift(f, channels_last)) return true;
  if (std::strcmp(f.next.name, "add") != 0) return false;
  const FusionInput& other = f.next_inputs[1 - f.position];
  const Shape bias{f.result.shape.back()};
  if (f.inputs.size() == 2 && other.constant && other.spec.shape == bias) {
    f.inputs.push_back(other);
    return true;
  }
  if (!takes_residual || !(other.spec == f.result)) return false;
  if (f.inputs.size() == 2) {
    Tensor none = Tensor::zeros(Spec(f.result.dtype, bias));
    f.inputs.push_back(FusionInput{none.spec(), std::move(none), -1});
  }
  f.inputs.push_back(other);
  return true;
}

void check_bias_and_residual(const char* who, const InSpecs& in, Shape& out) {
  if (in.size() >= 3) {
    expect_same_dtype(who, in.dtype(0), in.dtype(2));
    if (in.rank(2) != 1 || in.shape(2)[0] != out.back())
      fail_shape(who, join("a bias of shape [", out.back(), "]"), to_string(in.shape(2)));
  }
  if (in.size() == 4) {
    expect_same_dtype(who, in.dtype(0), in.dtype(3));
    const Shape& r = in.shape(3);
    if (r.size() != out.size()) fail_shape(who, join("a residual of shape ", out), to_string(r));
    for (std::size_t d = 0; d < out.size(); ++d) out[d] = same_dim(who, "sizes of residual and result", r[d], out[d]);
  }
}

bool gradient_by_output(int activation) noexcept {
  switch (activation) {
    case kernels::kActRelu:
    case kernels::kActTanh:
    case kernels::kActSigmoid:
    case kernels::kActElu:
    case kernels::kActSelu:
    case kernels::kActLeakyRelu:
      return true;
    default:
      return false;
  }
}

Value activation_grad(Emitter& e, int activation, double alpha, const Value& dy, const Value& v) {
  switch (activation) {
    case kernels::kActRelu:
      return emit::relu_grad(e, dy, v);
    case kernels::kActTanh:
      return emit::tanh_grad(e, dy, v);
    case kernels::kActSigmoid:
      return emit::sigmoid_grad(e, dy, v);
    case kernels::kActElu:
      return emit::elu_grad(e, dy, v, alpha);
    case kernels::kActSelu:
      return emit::selu_grad(e, dy, v);
    case kernels::kActSoftplus:
      return emit::softplus_grad(e, dy, v);
    case kernels::kActSoftsign:
      return emit::softsign_grad(e, dy, v);
    case kernels::kActHardSigmoid:
      return emit::hard_sigmoid_grad(e, dy, v);
    case kernels::kActGelu:
      return emit::gelu_grad(e, dy, v, false);
    case kernels::kActGeluTanh:
      return emit::gelu_grad(e, dy, v, true);
    case kernels::kActSilu:
      return emit::silu_grad(e, dy, v);
    case kernels::kActMish:
      return emit::mish_grad(e, dy, v);
    case kernels::kActLeakyRelu:
      return emit::leaky_relu_grad(e, dy, v, alpha);
    default:
      return dy;
  }
}

Value bias_gradient(Emitter& e, const Value& g) {
  Ints axes;
  for (std::size_t i = 0; i + 1 < g.rank(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  return emit::reduce_sum(e, g, axes, false);
}

}  // namespace layernet
