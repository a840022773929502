// dense_weight_grad(x, g; transpose_w): the gradients of a dense layer's weights and bias from its inputs x [m, k] and
// the gradient g [m, n] of its results before the activation: dw = x^T g (with transpose_w g^T x) and db = the sum of
// g's rows.
#include "ops/gemm_util.h"
#include "ops/kernel_pick.h"

namespace layernet {

namespace {

struct WeightGradParams {
  bool transpose_w;
};

struct DenseWeightGrad {
  bool transpose_w = false;
  template <class V>
  void fields(V& visit) {
    visit("transpose_w", transpose_w);
  }

  Specs infer(const InSpecs& in) const {
    expect_inputs("dense_weight_grad", in, 2);
    expect_floating("dense_weight_grad", in.dtype(0));
    expect_same_dtype("dense_weight_grad", in.dtype(0), in.dtype(1));
    expect_rank("dense_weight_grad", in.shape(0), 2);
    expect_rank("dense_weight_grad", in.shape(1), 2);
    same_dim("dense_weight_grad", "numbers of rows", in.shape(0)[0], in.shape(1)[0]);
    const Dim k = in.shape(0)[1], n = in.shape(1)[1];
    Specs out = one_spec(in.dtype(0), transpose_w ? Shape{n, k} : Shape{k, n});
    out.emplace_back(in.dtype(0), Shape{n});
    return out;
  }

  // Both results are linear in x and in g: dx = g dw^T and dg = x dw + db, for gradients dw and db of the results.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out(2);
    if (call.wants(0)) out[0] = emit::matmul(e, call.in(1), dy[0], false, !transpose_w);
    if (call.wants(1)) out[1] = emit::add(e, emit::matmul(e, call.in(0), dy[0], false, transpose_w), dy[1]);
    return out;
  }

  void prepare(Preparation& p) const {
    p.params<WeightGradParams>() = {transpose_w};
    const bool f64 = p.in(0).dtype == DType::float64;
    const Shape& w = p.out().shape;
    f64 ? ask<double>(p, w[0], w[1], p.in(0).shape[0]) : ask<float>(p, w[0], w[1], p.in(0).shape[0]);
    p.run(f64 ? run<double> : run<float>, "gemm");
    p.parts(f64 ? run_part<double> : run_part<float>);
    estimate_product(p, w[0], w[1], p.in(0).shape[0]);
  }

  template <class T>
  static void ask(Preparation& p, Dim m, Dim n, Dim k) {
    const auto width = [](Dim d) { return d.is_fixed() ? static_cast<std::size_t>(d.value()) : 0; };
    gemm_scratch<T>(p, m, n, k, operand(nullptr, width(m), true), operand(nullptr, width(n), false));
  }

  template <class T>
  static kernels::GemmArgs arguments(const Step& step, const Buffers& b) noexcept {
    const bool swap = step.get<WeightGradParams>().transpose_w;
    const View &left = b.in[swap ? 1 : 0], &right = b.in[swap ? 0 : 1];
    const auto m = static_cast<std::size_t>(left.dim(1)), n = static_cast<std::size_t>(right.dim(1)),
               k = static_cast<std::size_t>(left.dim(0));
    auto args = gemm_args(m, n, k, operand(left.data, m, true), operand(right.data, n, false), b.out[0].data);
    args.workspace = b.scratch;
    return args;
  }

  template <class T>
  static void sum_rows(const Step& step, const Buffers& b) noexcept {
    const View& g = b.in[1];
    LN_PICK(T, *step.kernels, reduce_sum)
    (g.as<T>(), b.out[1].as<T>(), 1, static_cast<std::size_t>(g.dim(0)), static_cast<std::size_t>(g.dim(1)));
  }

  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    if (b.out[0].size() != 0) gemm_run<T>(arguments<T>(step, b));
    sum_rows<T>(step, b);
  }

  template <class T>
  static void run_part(const Step& step, const Buffers& b, int part, int parts) noexcept {
    if (b.out[0].size() != 0) gemm_part<T>(arguments<T>(step, b), part, parts);
    if (part == 0) sum_rows<T>(step, b);
  }
};

}  // namespace

const OpDef dense_weight_grad_op = define_op<DenseWeightGrad>("dense_weight_grad", "x, g");

Values emit::dense_weight_grad(Emitter& e, const Value& x, const Value& g, bool transpose_w) {
  const DenseWeightGrad op{transpose_w};
  return e.emit(dense_weight_grad_op, &op, {x, g}, Targets());
}

}  // namespace layernet
