// depthwise_conv(x, w, b?; strides, padding, dilation, activation, alpha): activation(x * w + b), where * is the
// cross-correlation of each channel of images [n, spatial.., c] with a filter of its own, w [window.., c], over one to
// three spatial axes.
#include "ops/conv.h"
#include "ops/fused.h"

namespace layernet {

namespace {

// The shape of depthwise_conv(x, w).
Shape result(const char* who, const ConvFields& f, const Shape& x, const Shape& w) {
  expect_image(who, x);
  if (w.size() + 1 != x.size())
    fail_shape(who, join("a kernel of rank ", x.size() - 1, " (spatial, channels) for inputs of shape ", x),
               join("shape ", w));
  const Dim c = x.back(), channels = w.back();
  if (c != channels && !c.is_unknown() && !channels.is_unknown())
    throw ShapeError(
        join(who, ": expected inputs with ", channels, " channels (kernel is ", w, "), got shape ", x, "."));
  Shape out = windowed(who, x, f.window(who, w, x.size() - 2));
  if (c.is_unknown()) out[out.size() - 1] = channels;
  return out;
}

// Inputs of one floating type, two but for optional ones.
void check_types(const char* who, const InSpecs& in, std::size_t most = 2) {
  if (in.size() != most) expect_inputs(who, in, 2);
  expect_floating(who, in.dtype(0));
  expect_same_dtype(who, in.dtype(0), in.dtype(1));
}

struct DepthwiseParams {
  WindowParams window;
  bool has_bias = false;
  int activation = kernels::kActNone;
  double alpha = 1.0;
};

// All three take 2 operations for every tap at every element of the product.
void set(Preparation& p, const DepthwiseParams& params, const Shape& product, const char* who, Step::Run f32,
         Step::Run f64) {
  const std::int64_t* taps = params.window.size;
  p.params<DepthwiseParams>() = params;
  p.work(element_count(product, who), 2.0 * static_cast<double>(taps[0] * taps[1] * taps[2]));
  p.run(p.in(0).dtype == DType::float64 ? f64 : f32, who);
}

struct DepthwiseConv : ConvFields, FusedFields {
  template <class V>
  void fields(V& visit) {
    ConvFields::fields(visit);
    FusedFields::fields(visit);
  }
  Specs infer(const InSpecs& in) const {
    check_types("depthwise_conv", in, 3);
    Shape out = result("depthwise_conv", *this, in.shape(0), in.shape(1));
    check_bias_and_residual("depthwise_conv", in, out);
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  bool absorb(const Fusion& f) { return FusedFields::absorb(f, true, false); }
  void prepare(Preparation& p) const {
    const Shape& y = p.out().shape;
    set(p, {window("depthwise_conv", p.in(1).shape, y.size() - 2), p.in().size() == 3, activation, alpha}, y,
        "depthwise", run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<DepthwiseParams>();
    const kernels::WindowDims d = window_dims(p.window, b.in[0], b.out[0]);
    LN_PICK(T, *step.kernels, depthwise)
    (b.in[0].as<T>(), b.in[1].as<T>(), p.has_bias ? b.in[2].as<T>() : nullptr, b.out[0].as<T>(), &d, p.activation,
     &p.alpha);
  }
};

// dx, of spatial sizes `size`, from inputs dy and w.
struct DepthwiseInputGrad : ConvFields {
  Shape size;
  template <class V>
  void fields(V& visit) {
    visit("size", size);
    ConvFields::fields(visit);
  }
  Specs infer(const InSpecs& in) const {
    constexpr const char* kName = "depthwise_conv_input_grad";
    check_types(kName, in);
    const Shape& dy = in.shape(0);
    expect_sizes(kName, size, dy);
    Shape x = dy;
    for (std::size_t i = 0; i < size.size(); ++i) x[i + 1] = size[i];
    check_result(kName, dy, result(kName, *this, x, in.shape(1)));
    return one_spec(in.dtype(0), std::move(x));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  void prepare(Preparation& p) const {
    set(p, {window("depthwise_conv_input_grad", p.in(1).shape, size.size())}, p.in(0).shape, "depthwise_input_grad",
        run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const kernels::WindowDims d = window_dims(step.get<DepthwiseParams>().window, b.out[0], b.in[0]);
    LN_PICK(T, *step.kernels, depthwise_input_grad)(b.in[0].as<T>(), b.in[1].as<T>(), b.out[0].as<T>(), &d);
  }
};

// dw, of spatial sizes `size`, from inputs dy and x.
struct DepthwiseFilterGrad : ConvFields {
  Ints size;
  template <class V>
  void fields(V& visit) {
    visit("size", size);
    ConvFields::fields(visit);
  }
  Specs infer(const InSpecs& in) const {
    constexpr const char* kName = "depthwise_conv_filter_grad";
    check_types(kName, in);
    expect_sizes(kName, size, in.shape(0));
    Shape w;
    for (const std::int64_t k : size) w.push_back(Dim(k));
    w.push_back(in.shape(0).back());
    check_result(kName, in.shape(0), result(kName, *this, in.shape(1), w));
    return one_spec(in.dtype(0), std::move(w));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  void prepare(Preparation& p) const {
    set(p, {window("depthwise_conv_filter_grad", p.out().shape, size.size())}, p.in(0).shape, "depthwise_filter_grad",
        run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const kernels::WindowDims d = window_dims(step.get<DepthwiseParams>().window, b.in[1], b.in[0]);
    LN_PICK(T, *step.kernels, depthwise_filter_grad)(b.in[0].as<T>(), b.in[1].as<T>(), b.out[0].as<T>(), &d);
  }
};

Value emit_product(Emitter& e, const ConvFields& f, const Value& x, const Value& w) {
  DepthwiseConv op;
  static_cast<ConvFields&>(op) = f;
  return e.one(depthwise_conv_op, op, {x, w});
}
Value emit_input_grad(Emitter& e, const ConvFields& f, const Value& dy, const Value& w, const Value& x) {
  DepthwiseInputGrad op;
  static_cast<ConvFields&>(op) = f;
  op.size = spatial_sizes(x.shape());
  return e.one(depthwise_conv_input_grad_op, op, {dy, w});
}
Value emit_filter_grad(Emitter& e, const ConvFields& f, const Value& dy, const Value& x, const Value& w) {
  DepthwiseFilterGrad op;
  static_cast<ConvFields&>(op) = f;
  op.size = filter_sizes(w.shape(), w.rank() - 1);
  return e.one(depthwise_conv_filter_grad_op, op, {dy, x});
}

Values DepthwiseConv::backward(Emitter& e, const Call& call, const Values& dy) const {
  const Value &x = call.in(0), &w = call.in(1);
  const Value g = gradient_of_sum(*this, e, call, dy[0]);
  Values out(call.inputs->size());
  if (call.wants(0)) out[0] = emit_input_grad(e, *this, g, w, x);
  if (call.wants(1)) out[1] = emit_filter_grad(e, *this, g, x, w);
  if (out.size() == 3 && call.wants(2)) out[2] = bias_gradient(e, g);
  return out;
}

Values DepthwiseInputGrad::backward(Emitter& e, const Call& call, const Values& dy) const {
  const Value &g = dy[0], &w = call.in(1);
  Values out(2);
  if (call.wants(0)) out[0] = emit_product(e, *this, g, w);
  if (call.wants(1)) out[1] = emit_filter_grad(e, *this, call.in(0), g, w);
  return out;
}

Values DepthwiseFilterGrad::backward(Emitter& e, const Call& call, const Values& dy) const {
  const Value &g = dy[0], &x = call.in(1);
  Values out(2);
  if (call.wants(0)) out[0] = emit_product(e, *this, x, g);
  if (call.wants(1)) out[1] = emit_input_grad(e, *this, call.in(0), g, x);
  return out;
}

}  // namespace

const OpDef depthwise_conv_op = define_op<DepthwiseConv>("depthwise_conv", "x, w, b?");
const OpDef depthwise_conv_filter_grad_op = define_op<DepthwiseFilterGrad>("depthwise_conv_filter_grad", "dy, x");
const OpDef depthwise_conv_input_grad_op = define_op<DepthwiseInputGrad>("depthwise_conv_input_grad", "dy, w");

}  // namespace layernet
