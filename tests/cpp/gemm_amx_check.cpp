// float32 products by AMX, where this CPU has it: the bits are those that the rule in gemm_amx.inl.h gives, emulated
// here by fma; they depend neither on the other rows nor on strides, packing, workspace or a split by columns; the
// error is within the library's bound; inf, NaN and the largest numbers give what fma gives.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <limits>
#include <vector>

#include "check.h"
#include "kernels/dispatch.h"
#include "kernels/kernel_args.h"

using namespace layernet::kernels;

namespace {

uint64_t random_state = 1;
double random_number() {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<double>(random_state >> 33) / 1073741824.0 - 1.0;
}
std::vector<float> random_floats(size_t n) {
  std::vector<float> values(n);
  for (float& x : values) x = static_cast<float>(random_number());
  return values;
}
size_t random_below(size_t n) {
  return static_cast<size_t>((random_number() + 1.0) / 2.0 * static_cast<double>(n));
}

struct Aligned {
  std::vector<char> bytes;
  void* p;
  explicit Aligned(size_t n) : bytes(n + 64), p(bytes.data() + (64 - reinterpret_cast<uintptr_t>(bytes.data()) % 64)) {}
};

float top_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits &= 0xffff0000u;
  memcpy(&x, &bits, sizeof x);
  return x;
}
struct Parts {
  float part[3];
  explicit Parts(float x) {
    for (float& p : part) {
      p = top_half(x);
      x -= p;
    }
  }
};

struct Case {
  size_t m, n, k;
  std::vector<float> a, b, bias, c;
  Case(size_t m, size_t n, size_t k)
      : m(m),
        n(n),
        k(k),
        a(random_floats(m * k)),
        b(random_floats(k * n)),
        bias(random_floats(n)),
        c(random_floats(m * n)) {}
  GemmArgs args(float* to) const {
    GemmArgs g{};
    g.m = m, g.n = n, g.k = k;
    g.a = a.data(), g.rsa = k, g.csa = 1;
    g.b = b.data(), g.rsb = n, g.csb = 1;
    g.c = to, g.ldc = n;
    g.bias = bias.data();
    return g;
  }
  // An element before bias and old C.
  float emulated(size_t i, size_t j) const {
    constexpr int order[6][2] = {{0, 2}, {0, 1}, {1, 1}, {1, 0}, {2, 0}, {0, 0}};
    float sum = 0.0F;
    for (size_t p = 0; p < k; p += 32)
      for (const auto& [x, w] : order) {
        float apart[2] = {0.0F, 0.0F};
        for (size_t q = p; q < p + 32 && q < k; ++q)
          apart[q % 2] = fmaf(Parts(a[i * k + q]).part[x], Parts(b[q * n + j]).part[w], apart[q % 2]);
        sum += apart[0] + apart[1];
      }
    return sum;
  }
};

// The same with the weights rounded to bfloat16, as gemm_bf16_amx.inl.h has it.
float emulated_bf16(const Case& s, size_t i, size_t j) {
  float y = s.bias[j];
  for (size_t start = 0; start < s.k; start += 256) {
    float chain[3] = {0.0F, 0.0F, 0.0F};
    for (size_t p = start; p < start + 256 && p < s.k; p += 32)
      for (int x = 0; x < 3; ++x) {
        float apart[2] = {0.0F, 0.0F};
        for (size_t q = p; q < p + 32 && q < s.k; ++q)
          apart[q % 2] = fmaf(Parts(s.a[i * s.k + q]).part[x], s.b[q * s.n + j], apart[q % 2]);
        chain[x] += apart[0] + apart[1];
      }
    y = ((chain[2] + chain[1]) + chain[0]) + y;
  }
  return y;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}
std::vector<float> turned(const std::vector<float>& x, size_t rows, size_t columns) {
  std::vector<float> y(x.size());
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) y[j * rows + i] = x[i * columns + j];
  return y;
}

// Every way to the same product.
std::vector<float> product(const KernelTable& t, const Case& s, int activation, bool accumulate) {
  const auto run = [&](const char* what, auto change) {
    std::vector<float> c = accumulate ? s.c : std::vector<float>(s.m * s.n, 7.0F);
    GemmArgs g = s.args(c.data());
    g.activation = activation;
    g.accumulate = accumulate;
    change(g);
    (void)what;
    return c;
  };
  Aligned room(t.gemm_amx_workspace(s.m)), packed(t.pack_b_bytes_f32(s.k, s.n));
  t.pack_b_f32(s.b.data(), s.n, 1, s.k, s.n, packed.p);
  const std::vector<float> all = run("whole", [&](GemmArgs& g) {
    g.workspace = room.p;
    t.gemm_amx(&g);
  });
  const auto same = [&](const char* what, auto change) {
    CHECK_NOTE(same_bits(all, run(what, change)), "%zux%zux%zu: %s differs", s.m, s.n, s.k, what);
  };
  same("without a workspace", [&](GemmArgs& g) { t.gemm_amx(&g); });
  same("packed", [&](GemmArgs& g) {
    g.workspace = room.p;
    g.b = packed.p;
    t.gemm_packed_amx(&g);
  });
  same("packed, row by row", [&](GemmArgs g) {
    g.b = packed.p;
    g.m = 1;
    for (size_t i = 0; i < s.m; ++i) {
      g.a = s.a.data() + i * s.k;
      t.gemm_packed_amx(&g);
      g.c = static_cast<float*>(g.c) + s.n;
    }
  });
  same("packed, in parts", [&](GemmArgs& g) {
    g.b = packed.p;
    const size_t step = t.gemm_panel_f32(s.n);
    for (size_t first = 0; first < s.n;) {
      size_t columns = step * (1 + random_below(3));
      if (columns > s.n - first) columns = s.n - first;
      t.gemm_packed_columns_amx(&g, first, columns);
      first += columns;
    }
  });
  const std::vector<float> at = turned(s.a, s.m, s.k), bt = turned(s.b, s.k, s.n);
  same("transposed A", [&](GemmArgs& g) {
    g.workspace = room.p;
    g.a = at.data(), g.rsa = 1, g.csa = s.m;
    t.gemm_amx(&g);
  });
  same("transposed B", [&](GemmArgs& g) {
    g.workspace = room.p;
    g.b = bt.data(), g.rsb = 1, g.csb = s.k;
    t.gemm_amx(&g);
  });
  std::vector<float> wide_a(2 * s.m * s.k), wide_b(3 * s.k * s.n);
  for (size_t i = 0; i < s.m * s.k; ++i) wide_a[2 * i] = s.a[i];
  for (size_t i = 0; i < s.k * s.n; ++i) wide_b[3 * i] = s.b[i];
  same("with elements apart", [&](GemmArgs& g) {
    g.workspace = room.p;
    g.a = wide_a.data(), g.rsa = 2 * s.k, g.csa = 2;
    g.b = wide_b.data(), g.rsb = 3 * s.n, g.csb = 3;
    t.gemm_amx(&g);
  });
  return all;
}

// bfloat16 weights; gemm_small_check looks at the rest.
void check_bf16(const KernelTable& t, size_t m, size_t n, size_t k) {
  Case s(m, n, k);
  for (float& w : s.b) w = top_half(w);
  Aligned packed(t.pack_b_bytes_bf16(k, n));
  t.pack_b_bf16(s.b.data(), n, 1, k, n, packed.p);
  std::vector<float> c(m * n);
  const GemmArgs g = [&] {
    GemmArgs args = s.args(c.data());
    args.b = packed.p;
    return args;
  }();
  t.gemm_packed_bf16(&g);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = i % 3; j < n; j += 3) {
      const float want = emulated_bf16(s, i, j);
      if (!CHECK_NOTE(c[i * n + j] == want, "bf16 %zux%zux%zu at [%zu, %zu]: %.9g, by the rule %.9g", m, n, k, i, j,
                      static_cast<double>(c[i * n + j]), static_cast<double>(want)))
        return;
    }
}

void check_product(const KernelTable& t, size_t m, size_t n, size_t k) {
  const Case s(m, n, k);
  const std::vector<float> plain = product(t, s, kActNone, false);
  for (int count = 0; count < 200; ++count) {
    const size_t i = random_below(m), j = count == 0 ? n - 1 : random_below(n);
    const float got = plain[i * n + j], want = s.emulated(i, j) + s.bias[j];
    if (!CHECK_NOTE(got == want, "%zux%zux%zu at [%zu, %zu]: %.9g, by the rule %.9g", m, n, k, i, j,
                    static_cast<double>(got), static_cast<double>(want)))
      break;
    double sum = static_cast<double>(s.bias[j]), size = fabs(sum);
    for (size_t p = 0; p < k; ++p) {
      const double term = static_cast<double>(s.a[i * k + p]) * static_cast<double>(s.b[p * n + j]);
      sum += term, size += fabs(term);
    }
    const double bound = sqrt(static_cast<double>(k)) * std::numeric_limits<float>::epsilon() * size;
    if (!CHECK_NOTE(fabs(static_cast<double>(got) - sum) <= bound, "%zux%zux%zu at [%zu, %zu]: %.9g for %.9g", m, n, k,
                    i, j, static_cast<double>(got), sum))
      break;
  }
  const std::vector<float> added = product(t, s, kActRelu, true);
  for (size_t i = 0; i < m * n; ++i) {
    const float y = plain[i] + s.c[i];
    if (!CHECK_NOTE(added[i] == (y > 0.0F ? y : 0.0F), "%zux%zux%zu: relu of %g with C is %g", m, n, k,
                    static_cast<double>(y), static_cast<double>(added[i])))
      break;
  }
  std::vector<float> want(plain), got = product(t, s, kActTanh, false);
  t.unary_tanh_f32(plain.data(), want.data(), m * n, nullptr);
  CHECK_NOTE(same_bits(want, got), "%zux%zux%zu: tanh differs", m, n, k);
}

// What is not finite or nearly so is where it is by fma; the others keep their bits.
void check_special(const KernelTable& t) {
  const size_t m = 40, n = 100, k = 300;
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN(),
              most = std::numeric_limits<float>::max();
  for (const bool weights : {false, true})
    for (const float special : {nan, inf, -inf, most, -most}) {
      Case s(m, n, k);
      const std::vector<float> before = product(t, s, kActNone, false);
      const size_t i = random_below(m), j = random_below(n), p = random_below(k);
      (weights ? s.b[p * n + j] : s.a[i * k + p]) = special;
      const std::vector<float> got = product(t, s, kActNone, false);
      for (size_t e = 0; e < got.size(); ++e) {
        if (weights ? e % n != j : e / n != i) {
          // Vectors of 16 columns are computed together.
          if (!weights || e % n / 16 != j / 16)
            CHECK_NOTE(memcmp(&got[e], &before[e], sizeof(float)) == 0, "%g changes another",
                       static_cast<double>(special));
          continue;
        }
        const float other = weights ? s.a[e / n * k + p] : s.b[p * n + e % n];
        const double want = static_cast<double>(special) * static_cast<double>(other);
        const double y = static_cast<double>(got[e]);
        CHECK_NOTE(isfinite(want) ? fabs(y - want) <= 1e-5 * fabs(want)
                   : want != want ? y != y
                                  : y == want,
                   "%g times %g is %g", static_cast<double>(special), static_cast<double>(other), y);
      }
    }
  // Rows of any size.
  for (const float size : {1e-37F, 1e-30F, 1e-10F, 1e10F, 1e30F, 1e36F}) {
    Case s(m, n, k);
    for (float& x : s.a) x *= size;
    for (float& x : s.bias) x = 0.0F;
    const std::vector<float> got = product(t, s, kActNone, false);
    for (size_t e = 0; e < got.size(); ++e) {
      double sum = 0, sizes = 0;
      for (size_t p = 0; p < k; ++p) {
        const double term = static_cast<double>(s.a[e / n * k + p]) * static_cast<double>(s.b[p * n + e % n]);
        sum += term, sizes += fabs(term);
      }
      // Parts and products below 2^-126 count as 0.
      const double bound = 20 * 0x1p-23 * sizes + static_cast<double>(k) * 3 * 0x1p-126;
      const double y = static_cast<double>(got[e]);
      CHECK_NOTE(fabs(y - sum) <= bound, "rows of %g: %g for %g", static_cast<double>(size), y, sum);
    }
  }
}

}  // namespace

int main() {
  const KernelTable* table = table_for("amx");
  if (table == nullptr) return check::result();
  for (const size_t m : {1, 2, 8, 15, 16, 17, 32, 33, 48, 70, 300})
    for (const size_t n : {64, 65, 100, 544})
      for (const size_t k : {64, 65, 97, 128, 300}) check_product(*table, m, n, k);
  check_product(*table, 3, 1100, 4200);
  check_product(*table, 40, 70, 2100);
  check_special(*table);
  for (const size_t m : {1, 5, 6, 16, 40})
    for (const size_t k : {128, 299, 1030}) check_bf16(*table, m, 150, k);
  return check::result();
}
