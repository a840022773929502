// dense(x, w, b?, r?; activation, alpha, transpose_w): activation(x w + b + r) over the last axis, the op the library
// exists for. x is [..., k], w is [k, n] (or [n, k] with transpose_w), b is [n], the residual r is like the output. In
// a plan with constant weights these are packed once into the panels of the kernel; bias, residual and activation are
// applied to the tile while it is still in registers or cache.
#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/gemm_util.h"

namespace layernet {

namespace {

// Order and numbers of kernels::Activation.
constexpr const char* kActivations[kernels::kActCount] = {"linear",    "relu",     "tanh",     "sigmoid",      "elu",
                                                          "selu",      "softplus", "softsign", "hard_sigmoid", "gelu",
                                                          "gelu_tanh", "silu",     "mish",     "leaky_relu"};

bool gradient_by_output(int activation) {
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

struct DenseParams {
  bool has_bias, has_residual, transpose_w;
  int activation;
  double alpha;
  // Of the packed weights; null when they are not packed.
  void (*product)(const kernels::GemmArgs*) noexcept;
  void (*columns)(const kernels::GemmArgs*, std::size_t first, std::size_t count) noexcept;
};

// [rows, last] of a value of higher rank.
Value as_matrix(Emitter& e, const Value& v) {
  if (v.rank() == 2) return v;
  const Dim last = v.shape().back();
  Dim rows = 1;
  for (std::size_t i = 0; i + 1 < v.rank(); ++i) rows = layernet::multiply(rows, v.shape()[i], "dense");
  return emit::reshape(e, v, Shape{rows, last});
}

struct Dense {
  int activation = kernels::kActNone;
  double alpha = 1.0;
  bool transpose_w = false;
  template <class V>
  void fields(V& visit) {
    visit.choice("activation", activation, kActivations, kernels::kActCount);
    visit("alpha", alpha);
    visit("transpose_w", transpose_w);
  }

  Specs infer(const InSpecs& in) const {
    if (in.size() != 3 && in.size() != 4) expect_inputs("dense", in, 2);
    expect_floating("dense", in.dtype(0));
    const Shape &x = in.shape(0), &w = in.shape(1);
    expect_min_rank("dense", x, 1);
    expect_rank("dense", w, 2);
    const Dim k = w[transpose_w ? 1 : 0], n = w[transpose_w ? 0 : 1];
    if (x.back() != k && !x.back().is_unknown())
      throw ShapeError(join("dense: expected inputs with last dimension ", k, " (kernel is ", w,
                            transpose_w ? " transposed" : "", "), got shape ", x, "."));
    expect_same_dtype("dense", in.dtype(0), in.dtype(1));
    if (in.size() >= 3) {
      expect_same_dtype("dense", in.dtype(0), in.dtype(2));
      if (in.rank(2) != 1 || in.shape(2)[0] != n)
        fail_shape("dense", join("a bias of shape [", n, "]"), to_string(in.shape(2)));
    }
    Shape out = x;
    out[out.size() - 1] = n;
    if (in.size() == 4) {
      expect_same_dtype("dense", in.dtype(0), in.dtype(3));
      const Shape& r = in.shape(3);
      if (r.size() != out.size()) fail_shape("dense", join("a residual of shape ", out), to_string(r));
      for (std::size_t d = 0; d < out.size(); ++d)
        out[d] = same_dim("dense", "sizes of residual and result", r[d], out[d]);
    }
    return one_spec(in.dtype(0), std::move(out));
  }

  // dz = dy f'(z); dx = dz w^T, dw = x^T dz, db = the sum of dz over rows, dr = dz. Where f' follows from y nothing is
  // computed again.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &x = call.in(0), &w = call.in(1);
    const std::size_t count = call.inputs->size();
    Value g = dy[0];
    if (activation != kernels::kActNone) {
      Value v = call.out();
      if (!gradient_by_output(activation)) {
        Dense linear = *this;
        linear.activation = kernels::kActNone;
        v = e.one(*call.op, linear, *call.inputs);
      }
      g = activation_grad(e, activation, alpha, g, v);
    }
    Values out(count);
    if (count == 4) out[3] = g;
    const Value g2 = as_matrix(e, g);
    if (call.wants(0)) {
      const Value dx = emit::matmul(e, g2, w, false, !transpose_w);
      out[0] = x.rank() == 2 ? dx : emit::reshape(e, dx, x.shape());
    }
    if (call.wants(1)) {
      const Value x2 = as_matrix(e, x);
      out[1] = transpose_w ? emit::matmul(e, g2, x2, true, false) : emit::matmul(e, x2, g2, true, false);
    }
    if (count >= 3 && call.wants(2)) out[2] = emit::reduce_sum(e, g2, Ints{0}, false);
    return out;
  }

  std::size_t weight_axis() const noexcept { return transpose_w ? 0 : 1; }

  // Takes over what follows: a batch norm, a bias, a residual, an activation.
  bool absorb(const Fusion& f);
  bool absorb_activation(const Fusion& f);
  bool absorb_scale_shift(const Fusion& f) const;

  void prepare(Preparation& p) const {
    const bool f64 = p.in(0).dtype == DType::float64;
    f64 ? prepare_for<double>(p) : prepare_for<float>(p);
  }

  template <class T>
  void prepare_for(Preparation& p) const {
    const Shape& w = p.in(1).shape;
    const auto k = static_cast<std::size_t>(w[transpose_w ? 1 : 0].value());
    const auto n = static_cast<std::size_t>(w[transpose_w ? 0 : 1].value());
    DenseParams& params = p.params<DenseParams>();
    params = {p.in().size() >= 3, p.in().size() == 4, transpose_w, activation, alpha, nullptr, nullptr};
    p.last_axis();
    if (params.has_residual) p.in_place(3);
    Dim rows = 1;
    for (std::size_t i = 0; i + 1 < p.in(0).shape.size(); ++i)
      rows = layernet::multiply(rows, p.in(0).shape[i], "dense");
    p.work(rows, 2.0 * static_cast<double>(k) * static_cast<double>(n));
    if (const Tensor* weights = p.constant(1)) {
      const MatrixOperand b = operand(weights->data(), transpose_w ? k : n, transpose_w);
      const char* kernel = pack<T>(p, params, *weights, b, k, n);
      p.run(run<T>, kernel);
      p.parts(run_part<T>);
      return;
    }
    gemm_scratch<T>(p, rows, Dim(static_cast<std::int64_t>(n)), Dim(static_cast<std::int64_t>(k)),
                    operand(nullptr, k, false), operand(nullptr, transpose_w ? k : n, transpose_w));
    p.run(run<T>, "gemm");
  }

  // Packs the weights, in the type asked for where that serves, and gives the name of the kernel for it.
  template <class T>
  static const char* pack(Preparation& p, DenseParams& params, const Tensor& weights, const MatrixOperand& b,
                          std::size_t k, std::size_t n) {
    constexpr std::uint32_t kWeights = 1U << 1;
    const auto& table = p.kernels();
    const auto with = [&](const auto& pack_b, std::size_t bytes, const char* kernel) {
      pack_b(weights.as<T>(), b.row_stride, b.column_stride, k, n, p.keep(bytes, kWeights));
      return kernel;
    };
#define LN_PACKED(type)                              \
  params.product = table.gemm_packed_##type;         \
  params.columns = table.gemm_packed_columns_##type; \
  return with(table.pack_b_##type, table.pack_b_bytes_##type(k, n), "gemm_packed_" #type)
    if constexpr (std::is_same_v<T, double>) {
      LN_PACKED(f64);
    } else {
      if (p.weights() == DType::bfloat16 && table.pack_b_bytes_bf16(k, n) != 0) {
        LN_PACKED(bf16);
      }
      if (p.weights() == DType::int8 && table.pack_b_bytes_i8(k, n) != 0) {
        LN_PACKED(i8);
      }
      LN_PACKED(f32);
    }
#undef LN_PACKED
  }

  template <class T>
  static kernels::GemmArgs arguments(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<DenseParams>();
    const View &x = b.in[0], &w = b.in[1], &y = b.out[0];
    const auto k = static_cast<std::size_t>(x.dim(x.rank() - 1)), n = static_cast<std::size_t>(y.dim(y.rank() - 1));
    std::size_t m = 1;
    for (std::size_t i = 0; i + 1 < x.rank(); ++i) m *= static_cast<std::size_t>(x.dim(i));
    auto args =
        gemm_args(m, n, k, operand(x.data, k, false), operand(w.data, p.transpose_w ? k : n, p.transpose_w), y.data);
    args.bias = p.has_bias ? b.in[2].data : nullptr;
    args.accumulate = p.has_residual;
    args.activation = p.activation;
    args.act_params = &p.alpha;
    args.workspace = b.scratch;
    if (p.product != nullptr) args.b = step.kept;
    return args;
  }

  // Sums start from what the output holds: the residual, which a plan puts there by itself where its memory can be
  // reused.
  template <class T>
  static void place_residual(const Step& step, const Buffers& b, const kernels::GemmArgs& args, std::size_t first,
                             std::size_t last) noexcept {
    if (!step.get<DenseParams>().has_residual || b.in[3].data == b.out[0].data) return;
    const T* from = b.in[3].as<T>();
    T* to = b.out[0].as<T>();
    if (last - first == args.n) {
      std::memcpy(to, from, args.m * args.n * sizeof(T));
      return;
    }
    for (std::size_t i = first; i < args.m * args.n; i += args.n)
      std::memcpy(to + i, from + i, (last - first) * sizeof(T));
  }

  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto args = arguments<T>(step, b);
    place_residual<T>(step, b, args, 0, args.n);
    const auto& p = step.get<DenseParams>();
    p.product != nullptr ? p.product(&args) : gemm_run<T>(args);
  }

  // Whole panels of columns, so that a column is computed by the same instructions whoever does it.
  template <class T>
  static void run_part(const Step& step, const Buffers& b, int part, int parts) noexcept {
    const auto args = arguments<T>(step, b);
    const auto& k = *step.kernels;
    std::size_t width;
    if constexpr (std::is_same_v<T, double>)
      width = k.gemm_panel_f64(args.n);
    else
      width = k.gemm_panel_f32(args.n);
    const std::size_t panels = (args.n + width - 1) / width;
    const auto bound = [&](int i) {
      return std::min(args.n, panels * static_cast<std::size_t>(i) / static_cast<std::size_t>(parts) * width);
    };
    const std::size_t first = bound(part), last = bound(part + 1);
    if (first == last) return;
    place_residual<T>(step, b, args, first, last);
    step.get<DenseParams>().columns(&args, first, last - first);
  }
};

// Attributes of an activation that follows, read by name.
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

bool Dense::absorb_activation(const Fusion& f) {
  for (int i = 1; i < kernels::kActCount; ++i) {
    if (std::strcmp(f.next.name, kActivations[i]) != 0) continue;
    ActivationReader reader;
    f.next.visit(const_cast<void*>(f.next_attributes), reader);
    activation = i == kernels::kActGelu && reader.approximate ? static_cast<int>(kernels::kActGeluTanh) : i;
    alpha = reader.alpha;
    return true;
  }
  return false;
}

// w' = w scale and b' = b scale + shift, in float64 (for batch norm: Jacob et al. 2018, 3.2).
template <class T>
void fold_scale_shift(std::vector<FusionInput>& inputs, const ScaleShift& by, bool transpose_w) {
  const Tensor w = inputs[1].constant;
  const auto rows = static_cast<std::size_t>(w.shape()[0].value()),
             columns = static_cast<std::size_t>(w.shape()[1].value());
  const std::size_t n = transpose_w ? rows : columns;
  Tensor scaled = Tensor::empty(w.spec());
  T* to = static_cast<T*>(scaled.mutable_data());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j)
      to[i * columns + j] =
          static_cast<T>(static_cast<double>(w.as<T>()[i * columns + j]) * by.scale[transpose_w ? i : j]);
  Tensor shift = Tensor::empty(Spec(w.dtype(), Shape{Dim(static_cast<std::int64_t>(n))}));
  const T* bias = inputs.size() > 2 ? inputs[2].constant.as<T>() : nullptr;
  for (std::size_t j = 0; j < n; ++j)
    static_cast<T*>(shift.mutable_data())[j] =
        static_cast<T>((bias != nullptr ? static_cast<double>(bias[j]) * by.scale[j] : 0.0) + by.shift[j]);
  inputs.resize(2);
  inputs[1] = FusionInput{scaled.spec(), std::move(scaled), -1};
  inputs.push_back(FusionInput{shift.spec(), std::move(shift), -1});
}

bool Dense::absorb_scale_shift(const Fusion& f) const {
  if (f.next.scale_shift == nullptr || f.position != 0) return false;
  for (std::size_t i = 1; i < f.inputs.size(); ++i)
    if (!f.inputs[i].constant) return false;
  std::vector<Tensor> constants;
  for (const FusionInput& input : f.next_inputs) constants.push_back(input.constant);
  const ScaleShift by = f.next.scale_shift(f.next_attributes, f.result, constants.data());
  if (by.scale.empty()) return false;
  f.result.dtype == DType::float64 ? fold_scale_shift<double>(f.inputs, by, transpose_w)
                                   : fold_scale_shift<float>(f.inputs, by, transpose_w);
  return true;
}

bool Dense::absorb(const Fusion& f) {
  if (activation != kernels::kActNone) return false;
  if (absorb_activation(f)) return true;
  if (f.inputs.size() == 4) return false;
  if (absorb_scale_shift(f)) return true;
  if (std::strcmp(f.next.name, "add") != 0) return false;
  const FusionInput& other = f.next_inputs[1 - f.position];
  const Shape bias{f.result.shape.back()};
  if (f.inputs.size() == 2 && other.constant && other.spec.shape == bias) {
    f.inputs.push_back(other);
    return true;
  }
  // Sums of int8 weights are in units of their scales until they end: there is nothing to start from.
  if (!(other.spec == f.result) || f.weights == DType::int8) return false;
  if (f.inputs.size() == 2) {
    Tensor none = Tensor::zeros(Spec(f.result.dtype, bias));
    f.inputs.push_back(FusionInput{none.spec(), std::move(none), -1});
  }
  f.inputs.push_back(other);
  return true;
}

}  // namespace

const OpDef dense_op = define_op<Dense>("dense", "x, w, b?, r?");

}  // namespace layernet
