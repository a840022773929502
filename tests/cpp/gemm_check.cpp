// Matrix products of every instruction set against the formula in wider arithmetic, and the promise that the bits of a
// row depend neither on the other rows, nor on strides, packing or a split by columns.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "kernels/dispatch.h"
#include "kernels/flush.h"
#include "kernels/kernel_args.h"

using namespace layernet::kernels;

namespace {

uint64_t random_state = 1;
uint32_t random_word() {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<uint32_t>(random_state >> 33);
}
size_t random_below(size_t n) {
  return random_word() % n;
}
double random_real() {
  return random_word() / 1073741824.0 - 1.0;
}

template <class T>
struct Wider;
template <>
struct Wider<float> {
  using type = double;
};
template <>
struct Wider<double> {
  using type = long double;
};

template <class T>
struct Kernels;
#define DEFINE_KERNELS(T, suffix)                                                       \
  template <>                                                                           \
  struct Kernels<T> {                                                                   \
    const KernelTable& t;                                                               \
    void gemm(const GemmArgs& g) const {                                                \
      t.gemm_##suffix(&g);                                                              \
    }                                                                                   \
    void packed(const GemmArgs& g) const {                                              \
      t.gemm_packed_##suffix(&g);                                                       \
    }                                                                                   \
    void columns(const GemmArgs& g, size_t first, size_t n) const {                     \
      t.gemm_packed_columns_##suffix(&g, first, n);                                     \
    }                                                                                   \
    size_t panel(size_t n) const {                                                      \
      return t.gemm_panel_##suffix(n);                                                  \
    }                                                                                   \
    size_t workspace(size_t m, size_t n, size_t k) const {                              \
      return t.gemm_workspace_##suffix(m, n, k);                                        \
    }                                                                                   \
    size_t pack_bytes(size_t k, size_t n) const {                                       \
      return t.pack_b_bytes_##suffix(k, n);                                             \
    }                                                                                   \
    void pack(const T* b, size_t rsb, size_t csb, size_t k, size_t n, void* to) const { \
      t.pack_b_##suffix(b, rsb, csb, k, n, to);                                         \
    }                                                                                   \
    using Unary = void (*)(const T*, T*, size_t, const double*) noexcept;               \
    Unary unary(int activation) const {                                                 \
      const Unary all[] = {nullptr,                                                     \
                           t.unary_relu_##suffix,                                       \
                           t.unary_tanh_##suffix,                                       \
                           t.unary_sigmoid_##suffix,                                    \
                           t.unary_elu_##suffix,                                        \
                           t.unary_selu_##suffix,                                       \
                           t.unary_softplus_##suffix,                                   \
                           t.unary_softsign_##suffix,                                   \
                           t.unary_hard_sigmoid_##suffix,                               \
                           t.unary_gelu_##suffix,                                       \
                           t.unary_gelu_tanh_##suffix,                                  \
                           t.unary_silu_##suffix,                                       \
                           t.unary_mish_##suffix,                                       \
                           t.unary_leaky_relu_##suffix};                                \
      return all[activation];                                                           \
    }                                                                                   \
  };
DEFINE_KERNELS(float, f32)
DEFINE_KERNELS(double, f64)

// A matrix that ends where its memory ends, in one of four layouts.
enum Layout { kRows, kColumns, kPartOfRows, kSpread, kLayouts };
Layout random_layout() {
  return static_cast<Layout>(random_below(kLayouts));
}
template <class T>
struct Matrix {
  size_t rows, columns, row_stride, column_stride;
  std::vector<T> data;
  Matrix(size_t m, size_t n, Layout layout) : rows(m), columns(n) {
    row_stride = layout == kColumns ? 1 : layout == kRows ? n : 3 * n + 1;
    column_stride = layout == kColumns ? m : layout == kSpread ? 3 : 1;
    if (m != 0 && n != 0) data.resize((m - 1) * row_stride + (n - 1) * column_stride + 1, std::nan(""));
    for (size_t i = 0; i < m; ++i)
      for (size_t j = 0; j < n; ++j) at(i, j) = static_cast<T>(random_real());
  }
  T& at(size_t i, size_t j) { return data[i * row_stride + j * column_stride]; }
  const T& at(size_t i, size_t j) const { return data[i * row_stride + j * column_stride]; }
};

struct Aligned {
  std::vector<char> bytes;
  void* p;
  explicit Aligned(size_t n) : bytes(n + 64), p(bytes.data() + (64 - reinterpret_cast<uintptr_t>(bytes.data()) % 64)) {}
};

template <class T>
GemmArgs make_args(size_t m, const Matrix<T>& a, const Matrix<T>& b, T* c, size_t ldc, void* workspace) {
  GemmArgs g{};
  g.m = m;
  g.n = b.columns;
  g.k = b.rows;
  g.a = a.data.data();
  g.rsa = a.row_stride;
  g.csa = a.column_stride;
  g.b = b.data.data();
  g.rsb = b.row_stride;
  g.csb = b.column_stride;
  g.c = c;
  g.ldc = ldc;
  g.workspace = workspace;
  return g;
}

template <class T>
bool same_bits(const T* a, const T* b, size_t n) {
  return n == 0 || memcmp(a, b, n * sizeof(T)) == 0;
}

template <class T>
void check_case(const Kernels<T>& kernels, const char* isa, size_t m, size_t n, size_t k) {
  using W = typename Wider<T>::type;
  const Layout layout_a = random_layout(), layout_b = random_layout();
  const bool with_bias = random_below(2), accumulate = random_below(3) == 0, relu = random_below(3) == 0;
  const Matrix<T> a(m, k, layout_a), b(k, n, layout_b);
  Matrix<T> bias(1, n, kRows);
  const size_t gap = random_below(2) * 3, ldc = n + gap;
  std::vector<T> c(m == 0 ? 0 : m * ldc - gap);
  for (T& x : c) x = static_cast<T>(random_real());
  const std::vector<T> before = c;

  Aligned workspace(kernels.workspace(m, n, k));
  GemmArgs g = make_args(m, a, b, c.data(), ldc, workspace.p);
  g.bias = with_bias ? bias.data.data() : nullptr;
  g.accumulate = accumulate;
  g.activation = relu ? kActRelu : kActNone;
  kernels.gemm(g);

  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < n; ++j) {
      W sum = 0, size = 0;
      for (size_t p = 0; p < k; ++p) {
        const W product = static_cast<W>(a.at(i, p)) * static_cast<W>(b.at(p, j));
        sum += product;
        size += fabs(product);
      }
      if (with_bias) sum += bias.at(0, j), size += fabs(bias.at(0, j));
      if (accumulate) sum += before[i * ldc + j], size += fabs(before[i * ldc + j]);
      if (relu && sum < 0) sum = 0;
      const W error = fabs(static_cast<W>(c[i * ldc + j]) - sum);
      const W bound = 4 * sqrt(static_cast<W>(k + 3)) * std::numeric_limits<T>::epsilon() * size;
      if (!CHECK_NOTE(error <= bound, "%s %zux%zux%zu layouts %d %d at [%zu, %zu]: error %g, bound %g", isa, m, n, k,
                      layout_a, layout_b, i, j, static_cast<double>(error), static_cast<double>(bound)))
        return;
    }
    for (size_t j = n; j < ldc && i + 1 < m; ++j)
      CHECK_NOTE(c[i * ldc + j] == before[i * ldc + j], "%s %zux%zux%zu wrote past row %zu", isa, m, n, k, i);
  }

  // Packed, with another layout of A and B: the same bits.
  std::vector<T> again = before;
  Matrix<T> other_b(k, n, random_layout()), other_a(m, k, random_layout());
  for (size_t p = 0; p < k; ++p) {
    for (size_t j = 0; j < n; ++j) other_b.at(p, j) = b.at(p, j);
    for (size_t i = 0; i < m; ++i) other_a.at(i, p) = a.at(i, p);
  }
  Aligned packed(kernels.pack_bytes(k, n));
  kernels.pack(other_b.data.data(), other_b.row_stride, other_b.column_stride, k, n, packed.p);
  g.a = other_a.data.data();
  g.rsa = other_a.row_stride;
  g.csa = other_a.column_stride;
  g.b = packed.p;
  g.c = again.data();
  g.workspace = nullptr;
  kernels.packed(g);
  CHECK_NOTE(same_bits(c.data(), again.data(), c.size()), "%s %zux%zux%zu: packed differs", isa, m, n, k);

  // Split by columns and by rows: the same bits.
  again = before;
  const size_t step = kernels.panel(n);
  for (size_t first = 0; first < n;) {
    size_t columns = step * (1 + random_below(3));
    if (columns > n - first || n <= step) columns = n - first;
    const size_t middle = random_below(m + 1);
    GemmArgs part = g;
    part.c = again.data();
    part.m = middle;
    kernels.columns(part, first, columns);
    part.m = m - middle;
    if (part.m > 0) {
      part.a = other_a.data.data() + middle * other_a.row_stride;
      part.c = again.data() + middle * ldc;
      kernels.columns(part, first, columns);
    }
    first += columns;
  }
  CHECK_NOTE(same_bits(c.data(), again.data(), c.size()), "%s %zux%zux%zu: parts differ", isa, m, n, k);
}

// Row i of a product of m rows is the same for every m.
template <class T>
void check_rows(const Kernels<T>& kernels, const char* isa, size_t n, size_t k) {
  const size_t rows = 40;
  const Matrix<T> a(rows, k, kRows), b(k, n, kRows), bias(1, n, kRows);
  Aligned packed(kernels.pack_bytes(k, n)), workspace(kernels.workspace(rows, n, k));
  kernels.pack(b.data.data(), n, 1, k, n, packed.p);
  std::vector<T> all(rows * n), some(rows * n), unpacked(rows * n);
  GemmArgs g = make_args(rows, a, b, all.data(), n, workspace.p);
  g.bias = bias.data.data();
  g.activation = kActTanh;
  g.b = packed.p;
  kernels.packed(g);
  for (size_t m = 1; m <= rows; ++m) {
    const size_t first = random_below(rows - m + 1);
    g.m = m;
    g.a = a.data.data() + first * k;
    g.b = packed.p;
    g.c = some.data();
    kernels.packed(g);
    CHECK_NOTE(same_bits(some.data(), all.data() + first * n, m * n), "%s rows %zu..+%zu of %zux%zu", isa, first, m, n,
               k);
    g.b = b.data.data();
    g.c = unpacked.data();
    kernels.gemm(g);
    CHECK_NOTE(same_bits(unpacked.data(), some.data(), m * n), "%s unpacked rows %zu..+%zu of %zux%zu", isa, first, m,
               n, k);
  }
}

// Activations have the bits of the unary kernel on the stored product, over a range where results become denormal.
template <class T>
void check_activations(const Kernels<T>& kernels, const char* isa, size_t m, size_t n) {
  const size_t k = 9;
  Matrix<T> a(m, k, kRows), bias(1, n, kRows);
  const Matrix<T> b(k, n, kRows);
  for (size_t i = 0; i < m; ++i)
    for (size_t p = 0; p < k; ++p) a.at(i, p) *= static_cast<T>(i % 3 == 0 ? 1 : i % 3 == 1 ? 60 : 400);
  bias.at(0, 0) = static_cast<T>(-100);
  if (n > 1) bias.at(0, 1) = std::numeric_limits<T>::quiet_NaN();
  const double alpha = 0.3;
  Aligned packed(kernels.pack_bytes(k, n)), workspace(kernels.workspace(m, n, k));
  kernels.pack(b.data.data(), n, 1, k, n, packed.p);
  for (int activation = 1; activation < kActCount; ++activation) {
    std::vector<T> want(m * n), got(m * n);
    GemmArgs g = make_args(m, a, b, want.data(), n, workspace.p);
    g.bias = bias.data.data();
    g.act_params = &alpha;
    kernels.gemm(g);
    kernels.unary(activation)(want.data(), want.data(), want.size(), &alpha);
    g.activation = activation;
    g.c = got.data();
    kernels.gemm(g);
    CHECK_NOTE(same_bits(want.data(), got.data(), want.size()), "%s activation %d of %zux%zu", isa, activation, m, n);
    g.b = packed.p;
    g.c = got.data();
    kernels.packed(g);
    CHECK_NOTE(same_bits(want.data(), got.data(), want.size()), "%s packed activation %d of %zux%zu", isa, activation,
               m, n);
    if (n > 1) CHECK_NOTE(isnan(got[1]), "%s activation %d loses NaN", isa, activation);
  }
}

// Denormal operands count as 0, denormal results of an activation stay, and the caller's mode comes back.
template <class T>
void check_denormals(const Kernels<T>& kernels, const char* isa, size_t n) {
  if (kFlushBits == 0) return;
  const T tiny = std::numeric_limits<T>::denorm_min();
  const size_t k = 5;
  Matrix<T> a(1, k, kRows), b(k, n, kRows), bias(1, n, kRows);
  for (T& x : a.data) x = tiny;
  for (T& x : b.data) x = 1;
  for (T& x : bias.data) x = tiny;
  std::vector<T> c(n, T(1));
  Aligned workspace(kernels.workspace(1, n, k));
  GemmArgs g = make_args(1, a, b, c.data(), n, workspace.p);
  g.bias = bias.data.data();
  const FloatMode mode = get_float_mode() & kFlushBits;
  kernels.gemm(g);
  for (const T x : c) CHECK_NOTE(x == 0, "%s n=%zu: denormals are not flushed", isa, n);
  const T low = sizeof(T) == 4 ? T(-100) : T(-740);
  for (T& x : bias.data) x = low;
  g.activation = kActSigmoid;
  kernels.gemm(g);
  for (const T x : c) CHECK_NOTE(x != 0, "%s n=%zu: a denormal activation is flushed", isa, n);
  CHECK_NOTE((get_float_mode() & kFlushBits) == mode, "%s mode is not restored", isa);
  {
    FlushDenormals outer;
    std::vector<T> again(n);
    g.c = again.data();
    kernels.gemm(g);
    CHECK_NOTE(same_bits(c.data(), again.data(), n), "%s n=%zu: the caller's mode changes the result", isa, n);
    CHECK_NOTE((get_float_mode() & kFlushBits) == kFlushBits, "%s outer mode is not restored", isa);
  }
  CHECK_NOTE((get_float_mode() & kFlushBits) == mode, "%s mode is not restored", isa);
}

template <class T>
void check_isa(const KernelTable& table, bool thorough) {
  const Kernels<T> kernels{table};
  const std::string label = std::string(table.isa) + (sizeof(T) == 4 ? " f32" : " f64");
  const char* isa = label.c_str();
  const size_t ms[] = {0, 1, 2, 3, 4, 5, 6, 7, 13, 14, 15, 27, 29, 57, 120};
  const size_t ns[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 63, 65, 100, 129, 530};
  const size_t ks[] = {0, 1, 2, 3, 5, 17, 64, 65, 259, 600};
  for (const size_t m : ms)
    for (const size_t n : ns)
      for (const size_t k : ks)
        if (thorough || m * n * k < 40000 || random_below(4) == 0) check_case(kernels, isa, m, n, k);
  check_case(kernels, isa, 33, 2100, 20);
  check_case(kernels, isa, 60, 40, 1100);
  check_case(kernels, isa, 5, 70, 2100);
  for (const size_t n : {1, 3, 8, 16, 20, 32, 33, 64, 90, 200})
    for (const size_t k : {1, 16, 61, 300}) check_rows(kernels, isa, n, k);
  for (const size_t m : {1, 7, 130, 300})
    for (const size_t n : {1, 5, 30, 90}) check_activations(kernels, isa, m, n);
  for (const size_t n : {1, 6, 20, 70}) check_denormals(kernels, isa, n);
}

}  // namespace

// `gemm_check thorough` runs every size; without it three quarters of the large ones are left out.
int main(int argc, char** argv) {
  const bool thorough = argc > 1 && strcmp(argv[1], "thorough") == 0;
  for (const char* const* isa = isas_supported(); *isa; ++isa) {
    check_isa<float>(*table_for(*isa), thorough);
    check_isa<double>(*table_for(*isa), thorough);
  }
  return check::result();
}
