// Products with weights kept as bfloat16 or int8, of every instruction set: bfloat16 ones have the bits of the float32
// product with rounded weights (nearly those where AMX multiplies them), int8 ones are compared with the formula in
// double, and the bits of a row depend neither on the other rows nor on a split by columns.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "kernels/dispatch.h"
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
std::vector<float> random_floats(size_t n) {
  std::vector<float> values(n);
  for (float& x : values) x = static_cast<float>(random_word() / 1073741824.0 - 1.0);
  return values;
}

struct Aligned {
  std::vector<char> bytes;
  void* p;
  explicit Aligned(size_t n) : bytes(n + 64), p(bytes.data() + (64 - reinterpret_cast<uintptr_t>(bytes.data()) % 64)) {}
};

struct Small {
  size_t (*pack_bytes)(size_t, size_t) noexcept;
  void (*pack)(const float*, size_t, size_t, size_t, size_t, void*) noexcept;
  void (*product)(const GemmArgs*) noexcept;
  void (*columns)(const GemmArgs*, size_t, size_t) noexcept;
};
Small bfloat16_of(const KernelTable& t) {
  return {t.pack_b_bytes_bf16, t.pack_b_bf16, t.gemm_packed_bf16, t.gemm_packed_columns_bf16};
}
Small int8_of(const KernelTable& t) {
  return {t.pack_b_bytes_i8, t.pack_b_i8, t.gemm_packed_i8, t.gemm_packed_columns_i8};
}

// Nearest bfloat16, ties to even, by arithmetic.
float rounded(float x) {
  if (x == 0.0F || !isfinite(x)) return x;
  int exponent;
  const double fraction = frexp(static_cast<double>(x), &exponent);
  return static_cast<float>(ldexp(nearbyint(ldexp(fraction, 8)), exponent - 8));
}

struct Case {
  size_t m, n, k;
  std::vector<float> a, b, bias;
  Case(size_t m, size_t n, size_t k)
      : m(m), n(n), k(k), a(random_floats(m * k)), b(random_floats(k * n)), bias(random_floats(n)) {}
  GemmArgs args(const void* packed, float* c) const {
    GemmArgs g{};
    g.m = m, g.n = n, g.k = k;
    g.a = a.data(), g.rsa = k, g.csa = 1;
    g.b = packed, g.rsb = n, g.csb = 1;
    g.c = c, g.ldc = n;
    g.bias = bias.data();
    return g;
  }
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// The product of all rows; checked to be that of each row alone, and that of its columns in parts.
std::vector<float> product(const KernelTable& table, const Small& small, const Case& s, const void* packed,
                           int activation) {
  std::vector<float> all(s.m * s.n), again(s.m * s.n);
  GemmArgs g = s.args(packed, all.data());
  g.activation = activation;
  small.product(&g);
  for (size_t i = 0; i < s.m; ++i) {
    GemmArgs row = g;
    row.m = 1, row.a = s.a.data() + i * s.k, row.c = again.data() + i * s.n;
    small.product(&row);
  }
  CHECK_NOTE(same_bits(all, again), "%s %zux%zux%zu: a row alone differs", table.isa, s.m, s.n, s.k);
  again.assign(again.size(), 0.0F);
  const size_t step = table.gemm_panel_f32(s.n);
  g.c = again.data();
  for (size_t first = 0; first < s.n;) {
    size_t columns = step * (1 + random_below(3));
    if (columns > s.n - first) columns = s.n - first;
    small.columns(&g, first, columns);
    first += columns;
  }
  CHECK_NOTE(same_bits(all, again), "%s %zux%zux%zu: parts differ", table.isa, s.m, s.n, s.k);
  return all;
}

void check_bfloat16(const KernelTable& table, size_t m, size_t n, size_t k) {
  Case s(m, n, k);
  if (k > 0) s.b[random_below(s.b.size())] = 1.00390625F;  // a tie
  const Small small = bfloat16_of(table);
  if (small.pack_bytes(k, n) == 0) return;
  Aligned packed(small.pack_bytes(k, n)), wide(table.pack_b_bytes_f32(k, n));
  small.pack(s.b.data(), n, 1, k, n, packed.p);
  std::vector<float> near(s.b);
  for (float& w : near) w = rounded(w);
  table.pack_b_f32(near.data(), n, 1, k, n, wide.p);
  for (const int activation : {static_cast<int>(kActNone), static_cast<int>(kActTanh)}) {
    std::vector<float> want(m * n);
    GemmArgs g = s.args(wide.p, want.data());
    g.activation = activation;
    table.gemm_packed_f32(&g);
    const std::vector<float> got = product(table, small, s, packed.p, activation);
    // AMX adds up in an order of its own.
    bool close = strcmp(table.isa, "amx") == 0;
    for (size_t i = 0; close && i < m * n; ++i)
      close = fabs(static_cast<double>(got[i]) - static_cast<double>(want[i])) <=
              2 * sqrt(static_cast<double>(k)) * 0x1p-23 * static_cast<double>(k);
    CHECK_NOTE(close || same_bits(want, got), "%s %zux%zux%zu: bfloat16 weights differ from rounded ones", table.isa, m,
               n, k);
  }
}

void check_int8(const KernelTable& table, size_t m, size_t n, size_t k) {
  const Case s(m, n, k);
  const Small small = int8_of(table);
  std::vector<int8_t> q(k * n);
  std::vector<float> scale(n);
  table.quantize_i8(s.b.data(), n, 1, k, n, q.data(), scale.data());
  for (size_t j = 0; j < n; ++j) {
    double largest = 0;
    for (size_t p = 0; p < k; ++p) largest = fmax(largest, fabs(static_cast<double>(s.b[p * n + j])));
    if (k > 0)
      CHECK_NOTE(fabs(scale[j] - largest / 127) <= largest / 127 * 0x1p-15, "%s: scale %g of %g", table.isa,
                 static_cast<double>(scale[j]), largest);
    for (size_t p = 0; p < k; ++p)
      CHECK_NOTE(fabs(static_cast<double>(scale[j]) * q[p * n + j] - static_cast<double>(s.b[p * n + j])) <=
                     0.501 * static_cast<double>(scale[j]),
                 "%s: %g is %d of %g", table.isa, static_cast<double>(s.b[p * n + j]), q[p * n + j],
                 static_cast<double>(scale[j]));
  }
  if (small.pack_bytes(k, n) == 0) return;
  // What q * scale stands for quantizes to the same again.
  std::vector<float> near(k * n);
  for (size_t p = 0; p < k; ++p)
    for (size_t j = 0; j < n; ++j) near[p * n + j] = static_cast<float>(q[p * n + j]) * scale[j];
  Aligned packed(small.pack_bytes(k, n)), turned(small.pack_bytes(k, n));
  small.pack(near.data(), n, 1, k, n, packed.p);
  const std::vector<float> got = product(table, small, s, packed.p, kActNone);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      double sum = s.bias[j], size = fabs(static_cast<double>(s.bias[j]));
      for (size_t p = 0; p < k; ++p) {
        const double term = static_cast<double>(s.a[i * k + p]) * scale[j] * q[p * n + j];
        sum += term, size += fabs(term);
      }
      const double bound = 4 * sqrt(static_cast<double>(k + 3)) * std::numeric_limits<float>::epsilon() * size;
      if (!CHECK_NOTE(fabs(static_cast<double>(got[i * n + j]) - sum) <= bound,
                      "%s %zux%zux%zu at [%zu, %zu]: %g for %g", table.isa, m, n, k, i, j,
                      static_cast<double>(got[i * n + j]), sum))
        return;
    }
  // Weights by columns give the same bits.
  std::vector<float> columns(k * n);
  for (size_t p = 0; p < k; ++p)
    for (size_t j = 0; j < n; ++j) columns[j * k + p] = near[p * n + j];
  small.pack(columns.data(), 1, k, k, n, turned.p);
  CHECK_NOTE(same_bits(got, product(table, small, s, turned.p, kActNone)), "%s %zux%zux%zu: weights by columns differ",
             table.isa, m, n, k);
}

// NaN and inf among the weights reach the column they are in, and no other.
void check_special(const KernelTable& table, const Small& small) {
  const size_t n = 64, k = 5;
  for (const float special : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Case s(3, n, k);
    for (float& x : s.a) x = 1.0F;
    s.b[2 * n + 7] = special;
    Aligned packed(small.pack_bytes(k, n));
    small.pack(s.b.data(), n, 1, k, n, packed.p);
    const std::vector<float> got = product(table, small, s, packed.p, kActNone);
    for (size_t i = 0; i < got.size(); ++i)
      CHECK_NOTE(isfinite(got[i]) == (i % n != 7), "%s: %g in column %zu", table.isa, static_cast<double>(got[i]),
                 i % n);
  }
}

// Rows of any magnitude keep their precision, rows with NaN or inf give what floats give, and neither touches the
// others.
void check_rows(const KernelTable& table) {
  const size_t n = 100, k = 300;
  const Small small = int8_of(table);
  for (const size_t m : {size_t{1}, size_t{4}, size_t{6}}) {
    for (const float size : {1e-28F, 1e-10F, 1e30F}) {
      Case s(m, n, k);
      for (size_t i = 0; i < s.a.size(); i += 2) s.a[i] *= size;  // beside them numbers that are much larger or smaller
      for (float& x : s.bias) x = 0.0F;
      std::vector<int8_t> q(k * n);
      std::vector<float> scale(n);
      table.quantize_i8(s.b.data(), n, 1, k, n, q.data(), scale.data());
      Aligned packed(small.pack_bytes(k, n));
      small.pack(s.b.data(), n, 1, k, n, packed.p);
      const std::vector<float> got = product(table, small, s, packed.p, kActNone);
      for (size_t i = 0; i < m; ++i)
        for (size_t j = 0; j < n; ++j) {
          double sum = 0, largest = 0;
          for (size_t p = 0; p < k; ++p) {
            sum += static_cast<double>(s.a[i * k + p]) * scale[j] * q[p * n + j];
            largest = fmax(largest, fabs(static_cast<double>(s.a[i * k + p])));
          }
          const double bound = 4 * sqrt(static_cast<double>(k)) * 0x1p-23 * largest * 127 * scale[j];
          if (!CHECK_NOTE(fabs(got[i * n + j] - sum) <= bound, "%s row of %g at %zu: %g for %g", table.isa,
                          static_cast<double>(size), j, static_cast<double>(got[i * n + j]), sum))
            return;
        }
    }
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    for (const float special : {nan, inf, -inf}) {
      Case s(m, n, k);
      for (float& w : s.b) w = 0.25F + fabsf(w);  // no weight rounds to 0, which times inf would be NaN
      Aligned packed(small.pack_bytes(k, n));
      small.pack(s.b.data(), n, 1, k, n, packed.p);
      const std::vector<float> before = product(table, small, s, packed.p, kActNone);
      const size_t row = m / 2;
      s.a[row * k + 77] = special;
      const std::vector<float> got = product(table, small, s, packed.p, kActNone);
      for (size_t i = 0; i < got.size(); ++i) {
        const bool good = i / n != row         ? memcmp(&got[i], &before[i], sizeof(float)) == 0
                          : special != special ? got[i] != got[i]
                                               : got[i] == special;
        CHECK_NOTE(good, "%s with %g: %g in row %zu", table.isa, static_cast<double>(special),
                   static_cast<double>(got[i]), i / n);
      }
    }
  }
}

}  // namespace

int main() {
  for (const char* const* isa = isas_supported(); *isa; ++isa) {
    const KernelTable& table = *table_for(*isa);
    for (const size_t m : {0, 1, 2, 3, 5, 7, 14, 29, 120})
      for (const size_t n : {1, 7, 16, 17, 32, 33, 48, 65, 100, 530})
        for (const size_t k : {0, 1, 2, 5, 64, 128, 259}) {
          check_bfloat16(table, m, n, k);
          check_int8(table, m, n, k);
        }
    check_bfloat16(table, 40, 70, 2100);
    check_int8(table, 40, 70, 2100);
    check_int8(table, 9, 600, 4098);
    check_rows(table);
    check_special(table, bfloat16_of(table));
    check_special(table, int8_of(table));
    CHECK(int8_of(table).pack_bytes(100, 1) == 0 && bfloat16_of(table).pack_bytes(100, 1) == 0);
  }
  return check::result();
}
