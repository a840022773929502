// dense_weight_grad(x, g; transpose_w): the gradients of a dense layer's weights and bias from its inputs x [m, k] and
// the gradient g [m, n] of its results before the activation: dw = x^T g (with transpose_w g^T x) and db = the sum of
// g's rows.
#include <algorithm>

#include "ops/gemm_util.h"
#include "ops/kernel_pick.h"

namespace layernet {

namespace {

struct WeightGradParams {
  bool swap;    // g is the left operand and not x
  bool turned;  // the transpose of dw is computed
};

// A dw of few columns would leave lanes of the vectors empty. Its transpose fills them: [64, 4] from 256 rows takes 1.5
// us instead of 5.0 on Zen 4, and [128, 1] 1.4 us instead of 10.6.
bool is_narrow(const Shape& w) noexcept {
  constexpr std::int64_t kFew = 16, kMany = 64;
  return w[0].is_fixed() && w[1].is_fixed() && w[1].value() < kFew && w[0].value() >= kMany;
}

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
    const bool f64 = p.in(0).dtype == DType::float64;
    const Shape& w = p.out().shape;
    const bool turned = is_narrow(w);
    p.params<WeightGradParams>() = {transpose_w != turned, turned};
    const Dim rows = w[turned ? 1 : 0], columns = w[turned ? 0 : 1];
    if (turned && rows.value() > 1) p.scratch(multiply(rows, columns, "dense_weight_grad"), f64 ? 8 : 4);
    f64 ? ask<double>(p, rows, columns, p.in(0).shape[0]) : ask<float>(p, rows, columns, p.in(0).shape[0]);
    p.run(f64 ? run<double> : run<float>, "gemm");
    p.parts(f64 ? run_part<double> : run_part<float>);
    if (!turned && w[1].is_fixed()) {
      const std::int64_t row = w[1].value() * (f64 ? 8 : 4);
      p.blocks(f64 ? run_blocks<double> : run_blocks<float>,
               block_rows(row, !f64 && p.kernels().gemm_amx != nullptr) * row);
    }
    estimate_product(p, w[0], w[1], p.in(0).shape[0]);
  }

  template <class T>
  static void ask(Preparation& p, Dim m, Dim n, Dim k) {
    const auto width = [](Dim d) { return d.is_fixed() ? static_cast<std::size_t>(d.value()) : 0; };
    gemm_scratch<T>(p, m, n, k, operand(nullptr, width(m), true), operand(nullptr, width(n), false));
  }

  template <class T>
  static kernels::GemmArgs arguments(const Step& step, const Buffers& b) noexcept {
    const auto& params = step.get<WeightGradParams>();
    const View &left = b.in[params.swap ? 1 : 0], &right = b.in[params.swap ? 0 : 1];
    const auto m = static_cast<std::size_t>(left.dim(1)), n = static_cast<std::size_t>(right.dim(1)),
               k = static_cast<std::size_t>(left.dim(0));
    auto args = gemm_args(m, n, k, operand(left.data, m, true), operand(right.data, n, false), b.out[0].data);
    args.workspace = b.scratch;
    if (params.turned && m > 1) {  // a transpose of one row lies as it should
      args.c = b.scratch;
      args.workspace = static_cast<unsigned char*>(b.scratch) + scratch_part(m * n * sizeof(T));
    }
    return args;
  }

  // Rows of a block: 256 KB, which any L2 holds beside the operands, and at least one tile of any instruction set. AMX
  // splits the right operand anew for each block; where that is much, a step is bound by its products, and the 2 MB of
  // L2 of CPUs with AMX hold a larger block (a step of 1024 rows of 512-1024-512-256-1 takes 19.4 ms, with 256 KB 20.9;
  // of 64 rows 2.25 ms with 256 KB, 2.43 with 1 MB).
  static std::int64_t block_rows(std::int64_t row_bytes, bool much) noexcept {
    constexpr std::int64_t kBytes = 256 * 1024, kLeast = 42;
    return std::max(kLeast, (much ? 4 : 1) * kBytes / std::max<std::int64_t>(row_bytes, 1));
  }

  template <class T>
  static void run_blocks(const Step& step, const Buffers& b, int part, int parts, Step::Take take,
                         void* context) noexcept {
    auto* const block = static_cast<unsigned char*>(b.scratch);
    auto args = arguments<T>(step, b);
    args.workspace = block + step.block_bytes;
    const auto bound = [&](int i) {  // every part multiplies by all of the columns: that shares the updates evenly
      return i == parts ? args.m : args.m * static_cast<std::size_t>(i) / static_cast<std::size_t>(parts) / 32 * 32;
    };
    const std::size_t last = bound(part + 1);
    std::size_t first = bound(part);
    if (first < last) {
      const auto way = gemm_rows_begin<T>(args);
      constexpr std::size_t kMuch = 256;
      const auto most = static_cast<std::size_t>(
          block_rows(static_cast<std::int64_t>(args.n * sizeof(T)), way.amx && args.k > kMuch));
      const std::size_t rows = std::max<std::size_t>(most / way.multiple, 1) * way.multiple;
      for (; first < last; first += rows) {
        const std::size_t count = std::min(rows, last - first);
        gemm_rows<T>(way, args, first, count, block);
        take(context, first, count, block);
      }
    }
    if (part == 0) sum_rows<T>(step, b);
  }

  // Rows [first, first + count) of dw from the columns of its transpose.
  template <class T>
  static void turn(const kernels::GemmArgs& args, const Step& step, const Buffers& b, std::size_t first,
                   std::size_t count) noexcept {
    const std::int64_t shape[2] = {static_cast<std::int64_t>(count), static_cast<std::int64_t>(args.m)};
    const std::int64_t strides[2] = {1, static_cast<std::int64_t>(args.n)};
    (sizeof(T) == 8 ? step.kernels->copy_strided_8 : step.kernels->copy_strided_4)(
        static_cast<const T*>(args.c) + first, b.out[0].as<T>() + first * args.m, 2, shape, strides);
  }

  template <class T>
  static void sum_rows(const Step& step, const Buffers& b) noexcept {
    const View& g = b.in[1];
    LN_PICK(T, *step.kernels, reduce_sum)
    (g.as<T>(), b.out[1].as<T>(), 1, static_cast<std::size_t>(g.dim(0)), static_cast<std::size_t>(g.dim(1)));
  }

  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    if (b.out[0].size() != 0) {
      const auto args = arguments<T>(step, b);
      gemm_run<T>(args);
      if (args.c != b.out[0].data) turn<T>(args, step, b, 0, args.n);
    }
    sum_rows<T>(step, b);
  }

  template <class T>
  static void run_part(const Step& step, const Buffers& b, int part, int parts) noexcept {
    if (b.out[0].size() != 0) {
      const auto args = arguments<T>(step, b);
      gemm_part<T>(args, part, parts);
      // Few rows are all of them in one part.
      const auto s = kernels::gemm_slice(gemm_plan<T>(args), args, static_cast<std::size_t>(part),
                                         static_cast<std::size_t>(parts));
      if (args.c != b.out[0].data && s.rows != 0) turn<T>(args, step, b, s.first_column, s.columns);
    }
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
