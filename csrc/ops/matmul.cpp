// matmul(a, b, v?; transpose_a, transpose_b, gradient, alpha): matrix product over the last two axes; leading axes
// broadcast. With v the product is multiplied by the derivative of the activation `gradient` at v while it is in cache:
// plans make that of the gradient of a layer's input and of the activation before it (absorb).
#include "ops/fused.h"
#include "ops/gemm_util.h"

namespace layernet {

namespace {

struct MatmulParams {
  bool transpose_a, transpose_b, gated;
  int gradient;
  double alpha;
};

struct Matmul {
  bool transpose_a = false, transpose_b = false;
  int gradient = kernels::kActNone;
  double alpha = 1.0;
  template <class V>
  void fields(V& visit) {
    visit("transpose_a", transpose_a);
    visit("transpose_b", transpose_b);
    visit.choice("gradient", gradient, kActivations, kernels::kActCount);
    visit("alpha", alpha);
  }

  Specs infer(const InSpecs& in) const {
    if (in.size() != 3) expect_inputs("matmul", in, 2);
    expect_floating("matmul", in.dtype(0));
    expect_same_dtype("matmul", in.dtype(0), in.dtype(1));
    const Shape &a = in.shape(0), &b = in.shape(1);
    expect_min_rank("matmul", a, 2);
    expect_min_rank("matmul", b, 2);
    const Dim ka = a[a.size() - (transpose_a ? 2 : 1)], kb = b[b.size() - (transpose_b ? 1 : 2)];
    if (ka != kb && !ka.is_unknown() && !kb.is_unknown())
      throw ShapeError(join("matmul: expected equal inner sizes, got ", ka, " (", a, transpose_a ? " transposed" : "",
                            ") and ", kb, " (", b, transpose_b ? " transposed" : "", ")."));
    Shape out = broadcast("matmul", Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
    out.push_back(a[a.size() - (transpose_a ? 1 : 2)]);
    out.push_back(b[b.size() - (transpose_b ? 2 : 1)]);
    if (in.size() == 3) {
      expect_same_dtype("matmul", in.dtype(0), in.dtype(2));
      if (out.size() != 2 || !(in.shape(2) == out) || gradient == kernels::kActNone)
        throw ShapeError(join("matmul: expected a product of two matrices and v of its shape, got a product of shape ",
                              out, " and v of ", in.shape(2), ". Name the activation, and multiply matrices only."));
    }
    return one_spec(in.dtype(0), std::move(out));
  }

  // With C = op(A) op(B): dA = dC op(B)^T and dB = op(A)^T dC, each arranged so that nothing is transposed in memory.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    if (call.inputs->size() == 3)
      throw GraphError("matmul: expected no gradient of a product with v, which only plans make. Leave v out.");
    const Value &a = call.in(0), &b = call.in(1), &g = dy[0];
    Values out(2);
    if (call.wants(0))
      out[0] = emit::sum_to(
          e, transpose_a ? emit::matmul(e, b, g, transpose_b, true) : emit::matmul(e, g, b, false, !transpose_b), a);
    if (call.wants(1))
      out[1] = emit::sum_to(
          e, transpose_b ? emit::matmul(e, g, a, true, transpose_a) : emit::matmul(e, a, g, !transpose_a, false), b);
    return out;
  }

  bool absorb(const Fusion& f) {
    if (f.inputs.size() != 2 || f.position != 0 || f.result.shape.size() != 2 || f.next_inputs.size() != 2)
      return false;
    const int activation = activation_of(f.next, f.next_attributes, "_grad", &alpha);
    if (activation == kernels::kActNone || !(f.next_inputs[1].spec == f.result)) return false;
    gradient = activation;
    f.inputs.push_back(f.next_inputs[1]);
    return true;
  }

  void prepare(Preparation& p) const {
    p.params<MatmulParams>() = {transpose_a, transpose_b, p.in().size() == 3, gradient, alpha};
    const bool f64 = p.in(0).dtype == DType::float64;
    const Shape &a = p.in(0).shape, &y = p.out().shape;
    const Dim m = y[y.size() - 2], n = y.back(), k = a[a.size() - (transpose_a ? 2 : 1)];
    f64 ? ask<double>(p, m, n, k) : ask<float>(p, m, n, k);
    p.run(f64 ? run<double> : run<float>, "gemm");
    if (y.size() == 2) p.parts(f64 ? run_part<double> : run_part<float>);
    estimate_product(p, m, n, k);
  }

  template <class T>
  void ask(Preparation& p, Dim m, Dim n, Dim k) const {
    const auto width = [](Dim d) { return d.is_fixed() ? static_cast<std::size_t>(d.value()) : 0; };
    gemm_scratch<T>(p, m, n, k, operand(nullptr, width(transpose_a ? m : k), transpose_a),
                    operand(nullptr, width(transpose_b ? k : n), transpose_b));
  }

  // The product of matrices number ia, ib, iy of the operands.
  template <class T>
  static kernels::GemmArgs arguments(const Step& step, const Buffers& buffers, std::int64_t ia, std::int64_t ib,
                                     std::int64_t iy) noexcept {
    const auto& p = step.get<MatmulParams>();
    const View &a = buffers.in[0], &b = buffers.in[1], &y = buffers.out[0];
    const std::size_t ra = a.rank(), ry = y.rank();
    const auto m = static_cast<std::size_t>(y.dim(ry - 2)), n = static_cast<std::size_t>(y.dim(ry - 1));
    const auto k = static_cast<std::size_t>(a.dim(p.transpose_a ? ra - 2 : ra - 1));
    auto args = gemm_args(
        m, n, k, operand(a.as<T>() + static_cast<std::size_t>(ia) * m * k, p.transpose_a ? m : k, p.transpose_a),
        operand(b.as<T>() + static_cast<std::size_t>(ib) * k * n, p.transpose_b ? k : n, p.transpose_b),
        y.as<T>() + static_cast<std::size_t>(iy) * m * n);
    args.workspace = buffers.scratch;
    if (p.gated) {
      args.gate = buffers.in[2].data;
      args.activation = p.gradient;
      args.act_params = &p.alpha;
    }
    return args;
  }

  template <class T>
  static void run(const Step& step, const Buffers& buffers) noexcept {
    const View &a = buffers.in[0], &b = buffers.in[1], &y = buffers.out[0];
    if (y.size() == 0) return;
    if (y.rank() == 2) return gemm_run<T>(arguments<T>(step, buffers, 0, 0, 0));
    // The leading axes broadcast like an elementwise op whose elements are matrices.
    const Shape la(a.shape->begin(), a.shape->end() - 2), lb(b.shape->begin(), b.shape->end() - 2);
    const Shape ly(y.shape->begin(), y.shape->end() - 2);
    const BroadcastLoop loop(la, lb, ly);
    loop.each([&](std::int64_t ia, std::int64_t ib, std::int64_t iy) {
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(loop.inner); ++i)
        gemm_run<T>(arguments<T>(step, buffers, loop.mode == 1 ? ia : ia + i, loop.mode == 2 ? ib : ib + i, iy + i));
    });
  }

  template <class T>
  static void run_part(const Step& step, const Buffers& buffers, int part, int parts) noexcept {
    if (buffers.out[0].size() != 0) gemm_part<T>(arguments<T>(step, buffers, 0, 0, 0), part, parts);
  }
};

}  // namespace

const OpDef matmul_op = define_op<Matmul>("matmul", "a, b, v?");

Value emit::matmul(Emitter& e, const Value& a, const Value& b, bool transpose_a, bool transpose_b) {
  Matmul op;
  op.transpose_a = transpose_a;
  op.transpose_b = transpose_b;
  return e.one(matmul_op, op, {a, b});
}

}  // namespace layernet
