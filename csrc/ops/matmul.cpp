// matmul(a, b; transpose_a, transpose_b): matrix product over the last two axes; leading axes broadcast.
#include "ops/gemm_util.h"

namespace layernet {

namespace {

struct MatmulParams {
  bool transpose_a, transpose_b;
};

struct Matmul {
  bool transpose_a = false, transpose_b = false;
  template <class V>
  void fields(V& visit) {
    visit("transpose_a", transpose_a);
    visit("transpose_b", transpose_b);
  }

  Specs infer(const InSpecs& in) const {
    expect_inputs("matmul", in, 2);
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
    return one_spec(in.dtype(0), std::move(out));
  }

  // With C = op(A) op(B): dA = dC op(B)^T and dB = op(A)^T dC, each arranged so that nothing is transposed in memory.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
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

  void prepare(Preparation& p) const {
    p.params<MatmulParams>() = {transpose_a, transpose_b};
    const bool f64 = p.in(0).dtype == DType::float64;
    const Shape &a = p.in(0).shape, &y = p.out().shape;
    const Dim m = y[y.size() - 2], n = y.back(), k = a[a.size() - (transpose_a ? 2 : 1)];
    f64 ? ask<double>(p, m, n, k) : ask<float>(p, m, n, k);
    p.run(f64 ? run<double> : run<float>, "gemm");
  }

  template <class T>
  void ask(Preparation& p, Dim m, Dim n, Dim k) const {
    const auto width = [](Dim d) { return d.is_fixed() ? static_cast<std::size_t>(d.value()) : 0; };
    gemm_scratch<T>(p, m, n, k, operand(nullptr, width(transpose_a ? m : k), transpose_a),
                    operand(nullptr, width(transpose_b ? k : n), transpose_b));
  }

  template <class T>
  static void run(const Step& step, const Buffers& buffers) noexcept {
    const auto& p = step.get<MatmulParams>();
    const View &a = buffers.in[0], &b = buffers.in[1], &y = buffers.out[0];
    if (y.size() == 0) return;
    const std::size_t ra = a.rank(), ry = y.rank();
    const auto m = static_cast<std::size_t>(y.dim(ry - 2)), n = static_cast<std::size_t>(y.dim(ry - 1));
    const auto k = static_cast<std::size_t>(a.dim(p.transpose_a ? ra - 2 : ra - 1));
    const auto one = [&](std::int64_t ia, std::int64_t ib, std::int64_t iy) {
      auto args = gemm_args(
          m, n, k, operand(a.as<T>() + static_cast<std::size_t>(ia) * m * k, p.transpose_a ? m : k, p.transpose_a),
          operand(b.as<T>() + static_cast<std::size_t>(ib) * k * n, p.transpose_b ? k : n, p.transpose_b),
          y.as<T>() + static_cast<std::size_t>(iy) * m * n);
      args.workspace = buffers.scratch;
      gemm_run<T>(args);
    };
    if (ry == 2) return one(0, 0, 0);
    // The leading axes broadcast like an elementwise op whose elements are matrices.
    const Shape la(a.shape->begin(), a.shape->end() - 2), lb(b.shape->begin(), b.shape->end() - 2);
    const Shape ly(y.shape->begin(), y.shape->end() - 2);
    const BroadcastLoop loop(la, lb, ly);
    loop.each([&](std::int64_t ia, std::int64_t ib, std::int64_t iy) {
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(loop.inner); ++i)
        one(loop.mode == 1 ? ia : ia + i, loop.mode == 2 ? ib : ib + i, iy + i);
    });
  }
};

}  // namespace

const OpDef matmul_op = define_op<Matmul>("matmul", "a, b");

Value emit::matmul(Emitter& e, const Value& a, const Value& b, bool transpose_a, bool transpose_b) {
  return e.one(matmul_op, Matmul{transpose_a, transpose_b}, {a, b});
}

}  // namespace layernet
