// dense(x, w, b?, r?; activation, alpha, transpose_w): activation(x w + b + r) over the last axis, the op the library
// exists for. x is [..., k], w is [k, n] (or [n, k] with transpose_w), b is [n], the residual r is like the output. In
// a plan with constant weights these are packed once into the panels of the kernel; bias, residual and activation are
// applied to the tile while it is still in registers or cache.
#include <algorithm>

#include "ops/fused.h"
#include "ops/gemm_util.h"

namespace layernet {

namespace {

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

struct Dense : FusedFields {
  bool transpose_w = false;
  template <class V>
  void fields(V& visit) {
    FusedFields::fields(visit);
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
    Shape out = x;
    out[out.size() - 1] = n;
    check_bias_and_residual("dense", in, out);
    return one_spec(in.dtype(0), std::move(out));
  }

  // dz = dy f'(z); dx = dz w^T, dw = x^T dz, db = the sum of dz over rows, dr = dz. Where f' follows from y nothing is
  // computed again.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &x = call.in(0), &w = call.in(1);
    const std::size_t count = call.inputs->size();
    const Value g = gradient_of_sum(*this, e, call, dy[0]);
    Values out(count);
    if (count == 4) out[3] = g;
    const Value g2 = as_matrix(e, g);
    if (call.wants(0)) {
      const Value dx = emit::matmul(e, g2, w, false, !transpose_w);
      out[0] = x.rank() == 2 ? dx : emit::reshape(e, dx, x.shape());
    }
    const bool bias = count >= 3 && call.wants(2);
    if (call.wants(1) && bias) {
      Values both = emit::dense_weight_grad(e, as_matrix(e, x), g2, transpose_w);
      out[1] = std::move(both[0]);
      out[2] = std::move(both[1]);
    } else if (call.wants(1)) {
      const Value x2 = as_matrix(e, x);
      out[1] = transpose_w ? emit::matmul(e, g2, x2, true, false) : emit::matmul(e, x2, g2, true, false);
    } else if (bias) {
      out[2] = bias_gradient(e, g2);
    }
    return out;
  }

  std::size_t weight_axis() const noexcept { return transpose_w ? 0 : 1; }

  // Sums of int8 weights are in units of their scales until they end: there is no residual to start from.
  bool absorb(const Fusion& f) { return FusedFields::absorb(f, !transpose_w, f.weights != DType::int8); }

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
    if (!params.has_residual) p.parts(run_gemm_part<T>);
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
      if (kernels::prefer_packed_amx(table, n, k)) {
        params.product = table.gemm_packed_amx;
        params.columns = table.gemm_packed_columns_amx;
        p.scratch(Dim(static_cast<std::int64_t>(table.gemm_amx_workspace(SIZE_MAX))), 1);
        p.block_rows(256);  // it splits the weights anew for each block: with 64 rows recsys 1024 took 15 % longer
        return with(table.pack_b_f32, table.pack_b_bytes_f32(k, n), "gemm_packed_amx");
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

  template <class T>
  static void run_gemm_part(const Step& step, const Buffers& b, int part, int parts) noexcept {
    gemm_part<T>(arguments<T>(step, b), part, parts);
  }

  // Whole panels of columns, so that a column is computed by the same instructions whoever does it.
  template <class T>
  static void run_part(const Step& step, const Buffers& b, int part, int parts) noexcept {
    auto args = arguments<T>(step, b);
    args.workspace = nullptr;  // which is not for several threads
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

}  // namespace

const OpDef dense_op = define_op<Dense>("dense", "x, w, b?, r?");

}  // namespace layernet
