// The choice between BLAS and our own kernel, and BLAS with bias and activation added block by block while hot.
#include "kernels/gemm_auto.h"

#include <limits.h>

#include "kernels/blas.h"
#include "kernels/dispatch.h"
#include "kernels/flush.h"

namespace layernet::kernels {
namespace {

// Rows of a block. BLAS packs B anew for each: with [2048, 2048] operands blocks of 512 rows cost 1.7 %, of 256 rows 6
// %. Our own kernel shares one packed B.
constexpr size_t kBlasRows = 512;
constexpr size_t kOwnRows = 256;

template <class T>
struct Family;
#define LN_DEFINE_FAMILY(T, suffix, blas_gemm)                                            \
  template <>                                                                             \
  struct Family<T> {                                                                      \
    using Unary = void (*)(const T*, T*, size_t, const double*) noexcept;                 \
    using Grad = void (*)(const T*, const T*, T*, size_t, const double*) noexcept;        \
    static bool prefer_blas(size_t m, size_t n, size_t k) {                               \
      return prefer_blas_##suffix(m, n, k);                                               \
    }                                                                                     \
    static auto product(const BlasApi& api) {                                             \
      return api.blas_gemm;                                                               \
    }                                                                                     \
    static size_t workspace(const KernelTable& t, size_t m, size_t n, size_t k) {         \
      return t.gemm_workspace_##suffix(m, n, k);                                          \
    }                                                                                     \
    static size_t pack_bytes(const KernelTable& t, size_t k, size_t n) {                  \
      return t.pack_b_bytes_##suffix(k, n);                                               \
    }                                                                                     \
    static void pack(const KernelTable& t, const GemmArgs& g) {                           \
      t.pack_b_##suffix(static_cast<const T*>(g.b), g.rsb, g.csb, g.k, g.n, g.workspace); \
    }                                                                                     \
    static void gemm(const KernelTable& t, const GemmArgs& g) {                           \
      t.gemm_##suffix(&g);                                                                \
    }                                                                                     \
    static void packed(const KernelTable& t, const GemmArgs& g) {                         \
      t.gemm_packed_##suffix(&g);                                                         \
    }                                                                                     \
    static void add(const KernelTable& t, T* y, const T* x, size_t n) {                   \
      t.binary_add_##suffix(y, x, y, n, 0);                                               \
    }                                                                                     \
    static Unary activation(const KernelTable& t, int activation) {                       \
      const Unary all[kActCount] = {nullptr,                                              \
                                    t.unary_relu_##suffix,                                \
                                    t.unary_tanh_##suffix,                                \
                                    t.unary_sigmoid_##suffix,                             \
                                    t.unary_elu_##suffix,                                 \
                                    t.unary_selu_##suffix,                                \
                                    t.unary_softplus_##suffix,                            \
                                    t.unary_softsign_##suffix,                            \
                                    t.unary_hard_sigmoid_##suffix,                        \
                                    t.unary_gelu_##suffix,                                \
                                    t.unary_gelu_tanh_##suffix,                           \
                                    t.unary_silu_##suffix,                                \
                                    t.unary_mish_##suffix,                                \
                                    t.unary_leaky_relu_##suffix};                         \
      return all[activation];                                                             \
    }                                                                                     \
    static Grad gradient(const KernelTable& t, int activation) {                          \
      const Grad all[kActCount] = {nullptr,                                               \
                                   t.grad_relu_##suffix,                                  \
                                   t.grad_tanh_##suffix,                                  \
                                   t.grad_sigmoid_##suffix,                               \
                                   t.grad_elu_##suffix,                                   \
                                   t.grad_selu_##suffix,                                  \
                                   t.grad_softplus_##suffix,                              \
                                   t.grad_softsign_##suffix,                              \
                                   t.grad_hard_sigmoid_##suffix,                          \
                                   t.grad_gelu_##suffix,                                  \
                                   t.grad_gelu_tanh_##suffix,                             \
                                   t.grad_silu_##suffix,                                  \
                                   t.grad_mish_##suffix,                                  \
                                   t.grad_leaky_relu_##suffix};                           \
      return all[activation];                                                             \
    }                                                                                     \
  };
LN_DEFINE_FAMILY(float, f32, sgemm)
LN_DEFINE_FAMILY(double, f64, dgemm)
#undef LN_DEFINE_FAMILY

// CBLAS knows rows that are contiguous and columns that are, with a leading dimension of at least one line. The stride
// of a single line means nothing and may be anything.
struct BlasOperand {
  bool possible;
  int transposed, ld;
};
BlasOperand blas_operand(size_t rows, size_t columns, size_t row_stride, size_t column_stride) {
  if (column_stride == 1 || columns == 1) {
    const size_t ld = rows == 1 && row_stride < columns ? columns : row_stride;
    if (column_stride == 1 && ld >= columns && ld <= INT_MAX) return {true, kCblasNoTrans, static_cast<int>(ld)};
  }
  if (row_stride == 1) {
    const size_t ld = columns == 1 && column_stride < rows ? rows : column_stride;
    if (ld >= rows && ld <= INT_MAX) return {true, kCblasTrans, static_cast<int>(ld)};
  }
  return {false, 0, 0};
}

template <class T>
GemmPlan plan_gemm(const GemmArgs& g) noexcept {
  const KernelTable& table = active_kernels();
  GemmPlan plan{GemmPlan::own, g.m, g.m > 0 ? size_t{1} : 0, 0};
  if (g.m == 0 || g.n == 0) return plan;
  if (sizeof(T) == 4 && prefer_amx(table, g.m, g.n, g.k)) {
    plan.way = GemmPlan::with_amx;
    plan.block_rows = g.m;
    plan.workspace = table.gemm_amx_workspace(g.m);
    return plan;
  }
  if (Family<T>::prefer_blas(g.m, g.n, g.k) && g.m <= INT_MAX && g.n <= INT_MAX && g.k <= INT_MAX && g.ldc <= INT_MAX &&
      blas_operand(g.m, g.k, g.rsa, g.csa).possible && blas_operand(g.k, g.n, g.rsb, g.csb).possible && blas()) {
    plan.way = GemmPlan::with_blas;
    plan.block_rows = kBlasRows;
  } else if (g.m >= 2 * kOwnRows) {
    plan.way = GemmPlan::own_packed;
    plan.block_rows = kOwnRows;
    plan.workspace = Family<T>::pack_bytes(table, g.k, g.n);
  } else {
    plan.workspace = Family<T>::workspace(table, g.m, g.n, g.k);
    return plan;
  }
  plan.blocks = (g.m + plan.block_rows - 1) / plan.block_rows;
  return plan;
}

template <class T>
void begin(const GemmPlan& plan, const GemmArgs& args) noexcept {
  if (plan.way == GemmPlan::own_packed) Family<T>::pack(active_kernels(), args);
}

template <class T>
void blas_block(const GemmArgs& g) noexcept {
  const KernelTable& table = active_kernels();
  const BlasOperand a = blas_operand(g.m, g.k, g.rsa, g.csa), b = blas_operand(g.k, g.n, g.rsb, g.csb);
  T* const c = static_cast<T*>(g.c);
  FlushDenormals mode;
  Family<T>::product (*blas())(kCblasRowMajor, a.transposed, b.transposed, static_cast<int>(g.m), static_cast<int>(g.n),
                               static_cast<int>(g.k), T(1), static_cast<const T*>(g.a), a.ld,
                               static_cast<const T*>(g.b), b.ld, g.accumulate ? T(1) : T(0), c,
                               static_cast<int>(g.ldc));
  if (g.bias)
    for (size_t i = 0; i < g.m; ++i) Family<T>::add(table, c + i * g.ldc, static_cast<const T*>(g.bias), g.n);
  if (g.activation == kActNone) return;
  mode.keep();
  if (g.gate != nullptr) {
    const auto f = Family<T>::gradient(table, g.activation);
    const T* gate = static_cast<const T*>(g.gate);
    for (size_t i = 0; i < g.m; ++i) f(c + i * g.ldc, gate + i * g.ldc, c + i * g.ldc, g.n, g.act_params);
    return;
  }
  const auto f = Family<T>::activation(table, g.activation);
  if (g.ldc == g.n) {
    f(c, c, g.m * g.n, g.act_params);
  } else {
    for (size_t i = 0; i < g.m; ++i) f(c + i * g.ldc, c + i * g.ldc, g.n, g.act_params);
  }
}

template <class T>
void run_block(const GemmPlan& plan, const GemmArgs& args, size_t block) noexcept {
  const size_t first = block * plan.block_rows;
  GemmArgs g = args;
  g.m = args.m - first < plan.block_rows ? args.m - first : plan.block_rows;
  g.a = static_cast<const T*>(args.a) + first * args.rsa;
  g.c = static_cast<T*>(args.c) + first * args.ldc;
  if (args.gate != nullptr) g.gate = static_cast<const T*>(args.gate) + first * args.ldc;
  if (plan.way == GemmPlan::with_amx) {
    active_kernels().gemm_amx(&g);
  } else if (plan.way == GemmPlan::with_blas) {
    blas_block<T>(g);
  } else if (plan.way == GemmPlan::own_packed) {
    g.b = args.workspace;
    Family<T>::packed(active_kernels(), g);
  } else {
    Family<T>::gemm(active_kernels(), g);
  }
}

template <class T>
void run_all(const GemmPlan& plan, const GemmArgs& args) noexcept {
  begin<T>(plan, args);
  for (size_t block = 0; block < plan.blocks; ++block) run_block<T>(plan, args, block);
}

template <class T>
GemmRows rows_begin(const GemmArgs& args) noexcept {
  const KernelTable& table = active_kernels();
  if (sizeof(T) == 4 && prefer_amx(table, args.m, args.n, args.k)) return {true, 32};
  Family<T>::pack(table, args);
  return {false, 42};  // whole tiles of 6 rows and of 14
}

template <class T>
void rows(const GemmRows& way, const GemmArgs& args, size_t first, size_t count, void* c) noexcept {
  GemmArgs g = args;
  g.m = count;
  g.a = static_cast<const T*>(args.a) + first * args.rsa;
  g.c = c;
  if (way.amx) return active_kernels().gemm_amx(&g);
  g.b = args.workspace;
  Family<T>::packed(active_kernels(), g);
}

// Columns of a slice are multiples of this, which whole panels divide on every instruction set; a slice of fewer would
// be computed by the rule for few columns.
constexpr size_t kSliceColumns = 64;

// Columns [first, first + count) of C, or rows where there are few columns.
template <class T>
void run_part(const GemmArgs& args, size_t part, size_t parts) noexcept {
  const GemmPlan plan = plan_gemm<T>(args);
  if (plan.way == GemmPlan::with_blas) {
    for (size_t block = part; block < plan.blocks; block += parts) run_block<T>(plan, args, block);
    return;
  }
  const GemmSlice s = gemm_slice(plan, args, part, parts);
  if (s.rows == 0 || s.columns == 0) return;
  GemmArgs g = args;
  g.m = s.rows;
  g.n = s.columns;
  g.a = static_cast<const T*>(args.a) + s.first_row * args.rsa;
  g.b = static_cast<const T*>(args.b) + s.first_column * args.csb;
  const size_t offset = s.first_row * args.ldc + s.first_column;
  g.c = static_cast<T*>(args.c) + offset;
  if (args.gate != nullptr) g.gate = static_cast<const T*>(args.gate) + offset;
  if (args.bias != nullptr) g.bias = static_cast<const T*>(args.bias) + s.first_column;
  // Each slice packs its own columns of B; slices of rows pack all of them.
  const size_t packed = s.columns < args.n ? args.k * s.first_column : part * args.k * 2 * kSliceColumns;
  g.workspace = static_cast<T*>(args.workspace) + (packed + 15) / 16 * 16;
  if (plan.way == GemmPlan::with_amx) {
    g.workspace = part < kAmxParts ? static_cast<char*>(args.workspace) + part * plan.workspace : nullptr;
    return active_kernels().gemm_amx(&g);
  }
  Family<T>::gemm(active_kernels(), g);
}

}  // namespace

GemmRows gemm_rows_begin_f32(const GemmArgs& args) noexcept {
  return rows_begin<float>(args);
}
GemmRows gemm_rows_begin_f64(const GemmArgs& args) noexcept {
  return rows_begin<double>(args);
}
void gemm_rows_f32(const GemmRows& way, const GemmArgs& args, size_t first, size_t count, void* c) noexcept {
  rows<float>(way, args, first, count, c);
}
void gemm_rows_f64(const GemmRows& way, const GemmArgs& args, size_t first, size_t count, void* c) noexcept {
  rows<double>(way, args, first, count, c);
}

GemmSlice gemm_slice(const GemmPlan& plan, const GemmArgs& g, size_t part, size_t parts) noexcept {
  if (plan.way == GemmPlan::with_amx && g.m > g.n) {  // the longer operand is split once
    constexpr size_t kRows = 32;
    const auto bound = [&](size_t i) { return i == parts ? g.m : g.m * i / parts / kRows * kRows; };
    return {bound(part), bound(part + 1) - bound(part), 0, g.n};
  }
  if (g.n >= 2 * kSliceColumns) {
    const auto bound = [&](size_t i) { return i == parts ? g.n : g.n * i / parts / kSliceColumns * kSliceColumns; };
    return {0, g.m, bound(part), bound(part + 1) - bound(part)};
  }
  // More slices than there is workspace for are left empty.
  const size_t most = parts < kGemmRowSlices ? parts : kGemmRowSlices;
  const auto bound = [&](size_t i) { return i >= most ? g.m : g.m * i / most / 16 * 16; };
  return {bound(part), bound(part + 1) - bound(part), 0, g.n};
}

// GFLOP/s of one Zen 4 core (peak 118 f32, 59 f64) for own avx512, own avx2 and OpenBLAS 0.3.34;
// benchmarks/kernels/bench_gemm, layouts nn, tn, nt (tn: A transposed, the gradient of a weight):
//            f32 nn         tn              nt              f64 nn         tn             nt
//    256^3   112 109 103    111 107 104    116 110 102      55 53 51       54 51 51       54 54 51
//    512^3   111 110 106    109 103 106    113 109 106      53 52 50       50 47 50       53 51 50
//   1024^3   107 106 102    102  93 100    108 103 101      50 49 51       48 45 51       51 49 51
//   2048^3   101  99 101     97  90 106    106  99 105      49 47 53       48 44 52       50 49 53
// Below that our kernel wins by more (up to 4 times for a few rows), so BLAS is worth loading for large squares only.
bool prefer_blas_f32(size_t m, size_t n, size_t k) noexcept {
  return m >= 512 && n >= 512 && k >= 512 &&
         static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >= 0x1p32;
}
bool prefer_blas_f64(size_t m, size_t n, size_t k) noexcept {
  return m >= 512 && n >= 512 && k >= 512 &&
         static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >= 0x1p30;
}

// GFLOP/s on a Xeon of 2023 (peak of fma 243) of gemm_amx and gemm_f32; bench_gemm, m x k x n, layouts nn, tn, nt:
//                    nn         tn         nt
//   16 x 128 x 512   224 177    211 189    133 112
//   24 x 256 x 256   243 188    217 208    127 147
//   64 x 64 x 64     198 188    190 184    158 182
//   256 x 64 x 64    244 198    233 182    220 196
//   128 x 32 x 256   215 173    210 171    197 170
//   64 x 256 x 16     79 167     70 128     59 152
//   256 x 128 x 256  331 191    363 183    312 218
//   512 x 1024 x 256 365 175    344 156    286 179
bool prefer_amx(const KernelTable& table, size_t m, size_t n, size_t k) noexcept {
  // A smaller product does not make up for the lower clock at which the steps around it run then.
  return table.gemm_amx != nullptr && m >= 16 && n >= 64 && k >= 32 &&
         static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >= 0x1p21;
}
bool prefer_packed_amx(const KernelTable& table, size_t n, size_t k) noexcept {
  return table.gemm_amx != nullptr && n >= 64 && k >= 64 && k * n >= size_t{1} << 19;
}

GemmPlan plan_gemm_f32(const GemmArgs& args) noexcept {
  return plan_gemm<float>(args);
}
GemmPlan plan_gemm_f64(const GemmArgs& args) noexcept {
  return plan_gemm<double>(args);
}
void gemm_begin_f32(const GemmPlan& plan, const GemmArgs& args) noexcept {
  begin<float>(plan, args);
}
void gemm_begin_f64(const GemmPlan& plan, const GemmArgs& args) noexcept {
  begin<double>(plan, args);
}
void gemm_block_f32(const GemmPlan& plan, const GemmArgs& args, size_t block) noexcept {
  run_block<float>(plan, args, block);
}
void gemm_block_f64(const GemmPlan& plan, const GemmArgs& args, size_t block) noexcept {
  run_block<double>(plan, args, block);
}
void gemm_part_f32(const GemmArgs& args, size_t part, size_t parts) noexcept {
  run_part<float>(args, part, parts);
}
void gemm_part_f64(const GemmArgs& args, size_t part, size_t parts) noexcept {
  run_part<double>(args, part, parts);
}
void gemm_auto_f32(const GemmPlan& plan, const GemmArgs& args) noexcept {
  run_all<float>(plan, args);
}
void gemm_auto_f64(const GemmPlan& plan, const GemmArgs& args) noexcept {
  run_all<double>(plan, args);
}

}  // namespace layernet::kernels
