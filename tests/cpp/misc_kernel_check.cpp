// Random numbers, optimizer steps and windows (im2col, pooling, depthwise products) of every instruction set against
// plain definitions in double.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "kernels/dispatch.h"
#include "kernels/kernel_args.h"

using namespace layernet::kernels;

namespace {

// The kernel `name` for an element type, e.g. KERNEL(sgd)(v, g, ...).
#define KERNEL(name) pick<T>(table.name##_f32, table.name##_f64)
template <class T, class F, class D>
auto pick(F f, D d) {
  if constexpr (sizeof(T) == 4)
    return f;
  else
    return d;
}

uint64_t random_state = 1;
size_t random_below(size_t n) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<size_t>(random_state >> 33) % n;
}
template <class T>
std::vector<T> random_vector(size_t n, double lo = -1, double hi = 1) {
  std::vector<T> v(n);
  for (T& x : v) x = static_cast<T>(lo + (hi - lo) * static_cast<double>(random_below(1000003)) / 1000003);
  return v;
}
template <class T>
bool close(T got, double want, double ulps) {
  const double size = std::max(fabs(want), static_cast<double>(std::numeric_limits<T>::min()));
  return fabs(static_cast<double>(got) - want) <= ulps * std::numeric_limits<T>::epsilon() * size;
}

// --- random

// Philox4x32-10 as in the paper: one block.
void philox(uint64_t key, uint64_t counter, uint32_t* x) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  x[0] = static_cast<uint32_t>(counter), x[1] = static_cast<uint32_t>(counter >> 32), x[2] = x[3] = 0;
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * x[0], b = uint64_t{0xCD9E8D57} * x[2];
    const uint32_t y0 = static_cast<uint32_t>(b >> 32) ^ x[1] ^ k0, y2 = static_cast<uint32_t>(a >> 32) ^ x[3] ^ k1;
    x[1] = static_cast<uint32_t>(b), x[3] = static_cast<uint32_t>(a), x[0] = y0, x[2] = y2;
    k0 += 0x9E3779B9, k1 += 0xBB67AE85;
  }
}

void check_bits(const KernelTable& table) {
  // The paper's implementation publishes this block for counter 0, key 0.
  std::vector<uint32_t> words(4);
  table.random_bits_u32(0, 0, words.data(), 4);
  CHECK_NOTE(words == std::vector<uint32_t>({0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}), "%s", table.isa);
  for (const size_t n : {0, 1, 3, 4, 5, 127, 128, 129, 1001}) {
    const uint64_t key = 0x0123456789abcdef * (n + 1), counter = 0xfffffff0;  // the counter's low word wraps
    words.assign(n, 0);
    table.random_bits_u32(key, counter, words.data(), n);
    for (size_t i = 0; i < n; ++i) {
      uint32_t block[4];
      philox(key, counter + i / 4, block);
      if (!CHECK_NOTE(words[i] == block[i % 4], "%s n=%zu i=%zu", table.isa, n, i)) break;
    }
  }
}

template <class T>
void check_distributions(const KernelTable& table) {
  const KernelTable& scalar = *table_for("scalar");
  const size_t n = 200003, per_block = sizeof(T) == 4 ? 4 : 2;
  std::vector<T> y(n), other(n), part(n);
  const auto uniform = KERNEL(random_uniform);
  const auto draw_other = pick<T>(scalar.random_uniform_f32, scalar.random_uniform_f64);
  uniform(7, 100, y.data(), n, -3, 5);
  draw_other(7, 100, other.data(), n, -3, 5);
  CHECK_NOTE(memcmp(y.data(), other.data(), n * sizeof(T)) == 0, "%s uniform differs from scalar", table.isa);
  const size_t skip = 24 * per_block;
  uniform(7, 124, part.data(), n - skip, -3, 5);
  CHECK_NOTE(memcmp(y.data() + skip, part.data(), (n - skip) * sizeof(T)) == 0, "%s uniform cannot be cut", table.isa);
  uint32_t block[4];
  philox(7, 100, block);
  const double unit = sizeof(T) == 4
                          ? (block[0] >> 8) * 0x1p-24
                          : static_cast<double>((block[0] | static_cast<uint64_t>(block[1]) << 32) >> 11) * 0x1p-53;
  CHECK_NOTE(close(y[0], -3 + 8 * unit, 4), "%s uniform: first element", table.isa);
  double mean = 0, square = 0;
  for (const T x : y) {
    if (!CHECK_NOTE(x >= T(-3) && x < T(5), "%s uniform gives %g", table.isa, static_cast<double>(x))) break;
    mean += static_cast<double>(x) / n, square += static_cast<double>(x) * static_cast<double>(x) / n;
  }
  CHECK_NOTE(fabs(mean - 1) < 0.03 && fabs(square - mean * mean - 64.0 / 12) < 0.05, "%s uniform mean %g", table.isa,
             mean);
  // Half-open even where lo + u (hi - lo) rounds up.
  uniform(1, 0, y.data(), n, 1e6, 1e6 + 1);
  CHECK_NOTE(*std::max_element(y.begin(), y.end()) < T(1e6 + 1), "%s uniform reaches hi", table.isa);

  const auto normal = KERNEL(random_normal);
  normal(9, 5, y.data(), n, 2, 3);
  double third = 0, fourth = 0, product = 0;
  mean = square = 0;
  for (size_t i = 0; i < n; ++i) {
    const double z = (static_cast<double>(y[i]) - 2) / 3;
    mean += z / n, square += z * z / n, third += z * z * z / n, fourth += z * z * z * z / n;
    if (i % 2 == 0 && i + 1 < n) product += z * (static_cast<double>(y[i + 1]) - 2) / 3 / (n / 2);
  }
  CHECK_NOTE(fabs(mean) < 0.01 && fabs(square - 1) < 0.015 && fabs(third) < 0.03 && fabs(fourth - 3) < 0.15 &&
                 fabs(product) < 0.02,
             "%s normal moments %g %g %g %g %g", table.isa, mean, square, third, fourth, product);
  philox(9, 5, block);
  const double u1 =
      sizeof(T) == 4 ? ((block[0] >> 1) + 0.5) * 0x1p-31
                     : (static_cast<double>((block[0] | static_cast<uint64_t>(block[1]) << 32) >> 11) + 0.5) * 0x1p-53;
  const double u2 = sizeof(T) == 4
                        ? (block[1] >> 8) * 0x1p-24
                        : static_cast<double>((block[2] | static_cast<uint64_t>(block[3]) << 32) >> 11) * 0x1p-53;
  const double radius = sqrt(-2 * log(u1)), angle = 2 * M_PI * u2;
  CHECK_NOTE(fabs(static_cast<double>(y[0]) - (2 + 3 * radius * cos(angle))) < 100 * std::numeric_limits<T>::epsilon(),
             "%s normal: first", table.isa);
  CHECK_NOTE(fabs(static_cast<double>(y[1]) - (2 + 3 * radius * sin(angle))) < 100 * std::numeric_limits<T>::epsilon(),
             "%s normal: second", table.isa);
  normal(9, 5 + 24, part.data(), n - skip, 2, 3);
  CHECK_NOTE(memcmp(y.data() + skip, part.data(), (n - skip) * sizeof(T)) == 0, "%s normal cannot be cut", table.isa);

  KERNEL(random_truncated_normal)(3, 0, y.data(), n, 1, 2);
  mean = square = 0;
  const double whole = erf(sqrt(2.0));  // probability of |z| <= 2
  for (size_t i = 0; i < n; ++i) {
    const double z = (static_cast<double>(y[i]) - 1) / 2;
    mean += z / n, square += z * z / n;
    if (!CHECK_NOTE(fabs(z) <= 2 + 1e-6, "%s truncated normal gives %g", table.isa, z)) break;
    if (i >= 64) continue;
    // The normal distribution function takes the element back to the uniform number it came from.
    philox(3, i / per_block, block);
    const double t =
        sizeof(T) == 4
            ? (static_cast<int32_t>(block[i % 4]) + 0.5) * 0x1p-31
            : (static_cast<double>((block[i % 2 * 2] | static_cast<uint64_t>(block[i % 2 * 2 + 1]) << 32) >> 11) +
               0.5) * 0x1p-52 -
                  1;
    CHECK_NOTE(fabs(erf(z / sqrt(2.0)) / whole - t) < 20 * std::numeric_limits<T>::epsilon(),
               "%s truncated normal at %zu", table.isa, i);
  }
  // Variance of the normal distribution cut at 2: 1 - 2 * 2 phi(2) / P(|z| <= 2).
  const double variance = 1 - 4 * exp(-2.0) / sqrt(2 * M_PI) / whole;
  CHECK_NOTE(fabs(mean) < 0.01 && fabs(square - variance) < 0.01, "%s truncated normal %g %g", table.isa, mean, square);

  const auto dropout = KERNEL(dropout_mask);
  for (const double rate : {0.0, 0.25, 0.9, 1.0}) {
    dropout(11, 1, y.data(), n, rate);
    size_t kept = 0;
    for (size_t i = 0; i < n; ++i) {
      if (i < 1000) {
        philox(11, 1 + i / 4, block);
        const bool keeps = block[i % 4] >= rate * 0x1p32;
        if (!CHECK_NOTE(y[i] == (keeps ? static_cast<T>(1 / (1 - rate)) : T(0)), "%s dropout %g at %zu", table.isa,
                        rate, i))
          break;
      }
      kept += y[i] != 0;
    }
    CHECK_NOTE(fabs(static_cast<double>(kept) / n - (1 - rate)) < 0.01, "%s dropout %g keeps %zu", table.isa, rate,
               kept);
  }
}

// --- optimizers
// Adam's quotient, v = 0 - m / sqrt(s), over all magnitudes and where there is none.
template <class T>
void check_adam_quotient(const KernelTable& table) {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  std::vector<T> m = {1, 0, 1, inf, -inf, nan, 1, 0, 3}, s = {0, 0, inf, 1, 4, 1, nan, 1, inf};
  constexpr int most = std::numeric_limits<T>::max_exponent - 4;
  for (int i = 0; i < 4000; ++i) {
    const auto r = random_vector<T>(4, 0.5, 1);
    m.push_back(ldexp(r[0], static_cast<int>(most * (4 * static_cast<double>(r[1]) - 3))) * (i % 2 ? 1 : -1));
    s.push_back(ldexp(r[2], static_cast<int>(most * (4 * static_cast<double>(r[3]) - 3))));
  }
  const size_t n = m.size();
  const std::vector<T> g(n, T(0)), before(n, T(0));
  std::vector<T> v(n), m_out(n), s_out(n);
  const double p[] = {1, 1, 1, 0, 0, 0};
  KERNEL(adam)(before.data(), m.data(), s.data(), g.data(), v.data(), m_out.data(), s_out.data(), n, p);
  for (size_t i = 0; i < n; ++i) {
    const long double want = -static_cast<long double>(m[i]) / sqrtl(static_cast<long double>(s[i]));
    const long double bound =
        2 * std::numeric_limits<T>::epsilon() * fabsl(want) + 2 * std::numeric_limits<T>::denorm_min();
    const bool good = want != want ? v[i] != v[i]
                      : fabsl(want) > std::numeric_limits<T>::max()
                          ? static_cast<long double>(v[i]) == want || (isinf(v[i]) && (v[i] > 0) == (want > 0))
                          : fabsl(v[i] - want) <= bound;
    if (!CHECK_NOTE(good, "%s adam: %g / sqrt(%g) is %g", table.isa, static_cast<double>(m[i]),
                    static_cast<double>(s[i]), static_cast<double>(v[i])))
      return;
  }
}

template <class T>
void check_optimizers(const KernelTable& table) {
  for (const size_t n : {0, 1, 3, 4, 7, 8, 9, 16, 17, 31, 33, 100}) {
    const auto v = random_vector<T>(n), g = random_vector<T>(n), slot = random_vector<T>(n), mom = random_vector<T>(n);
    const auto positive = random_vector<T>(n, 1, 2), small = random_vector<T>(n, -0.5, 0.5);
    auto v1 = v, s1 = slot, s2 = positive, s3 = mom, s4 = small;
    const auto check = [&](const char* what, const std::vector<T>& got, const std::vector<double>& want) {
      for (size_t i = 0; i < n; ++i)
        if (!CHECK_NOTE(fabs(static_cast<double>(got[i]) - want[i]) <= 16 * std::numeric_limits<T>::epsilon(),
                        "%s %s n=%zu i=%zu: %g, %g", table.isa, what, n, i, static_cast<double>(got[i]), want[i]))
          return;
    };
    std::vector<double> wv(n), wa(n), wb(n), wc(n);

    const double sgd[] = {0.1};
    for (size_t i = 0; i < n; ++i) wv[i] = v[i] - 0.1 * g[i];
    KERNEL(sgd)(v1.data(), g.data(), v1.data(), n, sgd);
    check("sgd", v1, wv);

    for (const double nesterov : {0.0, 1.0}) {
      const double p[] = {0.1, 0.9, nesterov};
      for (size_t i = 0; i < n; ++i) {
        wa[i] = 0.9 * slot[i] + g[i];
        wv[i] = v[i] - (nesterov != 0 ? 0.1 * g[i] + 0.1 * 0.9 * wa[i] : 0.1 * wa[i]);
      }
      v1 = v, s1 = slot;
      KERNEL(momentum)(v1.data(), s1.data(), g.data(), v1.data(), s1.data(), n, p);
      check("momentum", v1, wv), check("momentum slot", s1, wa);
    }

    for (const double nesterov : {0.0, 1.0}) {
      const double p[] = {0.01, 0.9, 0.99, 1e-3, 0.02, nesterov};
      for (size_t i = 0; i < n; ++i) {
        wa[i] = 0.9 * slot[i] + 0.1 * g[i];
        wb[i] = 0.99 * positive[i] + 0.01 * g[i] * g[i];
        const double direction = nesterov != 0 ? 0.9 * wa[i] + 0.1 * g[i] : wa[i];
        wv[i] = v[i] - (0.01 * direction / (sqrt(wb[i]) + 1e-3) + 0.02 * v[i]);
      }
      v1 = v, s1 = slot, s2 = positive;
      KERNEL(adam)(v1.data(), s1.data(), s2.data(), g.data(), v1.data(), s1.data(), s2.data(), n, p);
      check("adam", v1, wv), check("adam m", s1, wa), check("adam s", s2, wb);
    }

    const double adadelta[] = {0.5, 0.9, 1e-3};
    for (size_t i = 0; i < n; ++i) {
      wb[i] = 0.9 * positive[i] + 0.1 * g[i] * g[i];
      const double last = fabs(slot[i]), step = g[i] * sqrt(last + 1e-3) / sqrt(wb[i] + 1e-3);
      wa[i] = 0.9 * last + 0.1 * step * step;
      wv[i] = v[i] - 0.5 * step;
      s1[i] = static_cast<T>(last);
    }
    v1 = v, s2 = positive;
    KERNEL(adadelta)(v1.data(), s2.data(), s1.data(), g.data(), v1.data(), s2.data(), s1.data(), n, adadelta);
    check("adadelta", v1, wv), check("adadelta squares", s2, wb), check("adadelta steps", s1, wa);

    const double adamax[] = {0.01, 0.9, 0.99, 1e-3};
    for (size_t i = 0; i < n; ++i) {
      wa[i] = 0.9 * slot[i] + 0.1 * g[i];
      wb[i] = std::max(0.99 * positive[i], fabs(static_cast<double>(g[i])));
      wv[i] = v[i] - 0.01 * wa[i] / (wb[i] + 1e-3);
    }
    v1 = v, s1 = slot, s2 = positive;
    KERNEL(adamax)(v1.data(), s1.data(), s2.data(), g.data(), v1.data(), s1.data(), s2.data(), n, adamax);
    check("adamax", v1, wv), check("adamax m", s1, wa), check("adamax s", s2, wb);

    const double lion[] = {0.01, 0.5, 0.99, 0.02};
    auto pull = g;
    if (n > 1) pull[0] = -slot[0];  // the direction is 0
    for (size_t i = 0; i < n; ++i) {
      const double direction = 0.5 * slot[i] + 0.5 * pull[i];
      wv[i] = v[i] - (0.01 * ((direction > 0) - (direction < 0)) + 0.02 * v[i]);
      wa[i] = 0.99 * slot[i] + 0.01 * pull[i];
    }
    v1 = v, s1 = slot;
    KERNEL(lion)(v1.data(), s1.data(), pull.data(), v1.data(), s1.data(), n, lion);
    check("lion", v1, wv), check("lion slot", s1, wa);

    for (const bool centered : {false, true}) {
      const double p[] = {0.01, 0.9, 0.5, 1e-3};
      for (size_t i = 0; i < n; ++i) {
        wb[i] = 0.9 * positive[i] + 0.1 * g[i] * g[i];
        wc[i] = 0.9 * small[i] + 0.1 * g[i];
        wa[i] = 0.5 * mom[i] + 0.01 * g[i] / sqrt(wb[i] - (centered ? wc[i] * wc[i] : 0) + 1e-3);
        wv[i] = v[i] - wa[i];
      }
      v1 = v, s2 = positive, s3 = mom, s4 = small;
      T* q = centered ? s4.data() : nullptr;
      KERNEL(rmsprop)(v1.data(), s2.data(), s3.data(), q, g.data(), v1.data(), s2.data(), s3.data(), q, n, p);
      check("rmsprop", v1, wv), check("rmsprop s", s2, wb), check("rmsprop mom", s3, wa);
      if (centered) check("rmsprop q", s4, wc);
    }

    for (size_t i = 0; i < n; ++i) wb[i] = positive[i] + g[i] * g[i], wv[i] = v[i] - 0.1 * g[i] / sqrt(wb[i]);
    v1 = v, s2 = positive;
    KERNEL(adagrad)(v1.data(), s2.data(), g.data(), v1.data(), s2.data(), n, sgd);
    check("adagrad", v1, wv), check("adagrad slot", s2, wb);
  }
}

// --- windows: convolution, pooling, depthwise products
WindowDims random_dims() {
  WindowDims d;
  const size_t channels[] = {1, 2, 3, 4, 8, 9, 17, 33, 64};
  d.n = 1 + random_below(3), d.c = channels[random_below(9)];
  const size_t axes = 1 + random_below(3);
  for (size_t a = 0; a < 3; ++a) {
    const bool used = a + axes >= 3;
    const auto below = [&](size_t n) { return used ? random_below(n) : 0; };
    d.in[a] = 1 + below(7), d.window[a] = 1 + below(4), d.stride[a] = 1 + below(3), d.dilation[a] = 1 + below(2);
    d.pad[a] = below(3), d.out[a] = used && random_below(20) == 0 ? 0 : 1 + below(a == 2 ? 12 : 4);
  }
  return d;
}
size_t positions_of(const WindowDims& d) {
  return d.n * d.out[0] * d.out[1] * d.out[2];
}
size_t taps_of(const WindowDims& d) {
  return d.window[0] * d.window[1] * d.window[2];
}
size_t elements_of(const WindowDims& d) {
  return d.n * d.in[0] * d.in[1] * d.in[2] * d.c;
}

// Offset in x of a tap of output position r, or -1 in the padding.
ptrdiff_t offset_of(const WindowDims& d, size_t r, size_t tap) {
  ptrdiff_t place[3];
  for (size_t a = 3; a-- > 0; r /= d.out[a], tap /= d.window[a]) {
    const size_t padded = r % d.out[a] * d.stride[a] + tap % d.window[a] * d.dilation[a];
    place[a] = static_cast<ptrdiff_t>(padded) - static_cast<ptrdiff_t>(d.pad[a]);
    if (place[a] < 0 || place[a] >= static_cast<ptrdiff_t>(d.in[a])) return -1;
  }
  ptrdiff_t pixel = static_cast<ptrdiff_t>(r);
  for (size_t a = 0; a < 3; ++a) pixel = pixel * static_cast<ptrdiff_t>(d.in[a]) + place[a];
  return pixel * static_cast<ptrdiff_t>(d.c);
}

template <class T>
void check_conv(const KernelTable& table) {
  for (int round = 0; round < 300; ++round) {
    const WindowDims d = random_dims();
    const size_t positions = positions_of(d), row = taps_of(d) * d.c;
    const size_t first = random_below(positions + 1), rows = random_below(positions - first + 1);
    const auto x = random_vector<T>(elements_of(d)), seed = random_vector<T>(x.size());
    std::vector<T> col(rows * row, T(9));
    KERNEL(im2col)(x.data(), col.data(), &d, first, rows);
    auto back = seed;
    KERNEL(col2im)(col.data(), back.data(), &d, first, rows);
    std::vector<double> want_back(seed.begin(), seed.end());
    bool same = true;
    for (size_t r = 0; r < rows; ++r)
      for (size_t t = 0; t < taps_of(d); ++t) {
        const ptrdiff_t at = offset_of(d, first + r, t);
        for (size_t j = 0; j < d.c; ++j) {
          const T got = col[r * row + t * d.c + j];
          same = same && got == (at < 0 ? T(0) : x[static_cast<size_t>(at) + j]);
          if (at >= 0) want_back[static_cast<size_t>(at) + j] += got;
        }
      }
    CHECK_NOTE(same, "%s im2col round %d", table.isa, round);
    for (size_t i = 0; i < back.size(); ++i)
      if (!CHECK_NOTE(fabs(static_cast<double>(back[i]) - want_back[i]) < 100 * std::numeric_limits<T>::epsilon(),
                      "%s col2im round %d", table.isa, round))
        break;
  }
}

template <class T>
void check_pool(const KernelTable& table) {
  for (int round = 0; round < 300; ++round) {
    WindowDims d = random_dims();
    d.dilation[0] = d.dilation[1] = d.dilation[2] = 1;
    const size_t positions = positions_of(d);
    auto x = random_vector<T>(elements_of(d));
    for (T& value : x) value = round % 2 ? static_cast<T>(floor(static_cast<double>(value) * 3)) : value;  // ties
    if (round % 5 == 0) x[random_below(x.size())] = std::numeric_limits<T>::quiet_NaN();
    const auto dy = random_vector<T>(positions * d.c), g = random_vector<T>(x.size());
    std::vector<T> max(dy.size()), avg(dy.size()), picked(dy.size()), dmax(x.size(), T(9)), davg(x.size(), T(9));
    KERNEL(max_pool)(x.data(), max.data(), &d);
    KERNEL(avg_pool)(x.data(), avg.data(), &d);
    KERNEL(max_pool_pick)(x.data(), g.data(), picked.data(), &d);
    KERNEL(max_pool_grad)(x.data(), dy.data(), dmax.data(), &d);
    KERNEL(avg_pool_grad)(dy.data(), davg.data(), &d);
    std::vector<double> want_dmax(x.size()), want_davg(x.size());
    const double tolerance = 100 * std::numeric_limits<T>::epsilon();
    for (size_t r = 0; r < positions; ++r)
      for (size_t j = 0; j < d.c; ++j) {
        double best = -INFINITY, sum = 0;
        ptrdiff_t winner = -1;
        std::vector<size_t> under;
        for (size_t t = 0; t < taps_of(d); ++t)
          if (const ptrdiff_t at = offset_of(d, r, t); at >= 0) under.push_back(static_cast<size_t>(at) + j);
        for (const size_t i : under) {
          const double value = static_cast<double>(x[i]);
          sum += value;
          want_davg[i] += static_cast<double>(dy[r * d.c + j]) / static_cast<double>(under.size());
          if (winner < 0 || value > best || (isnan(value) && !isnan(best)))
            best = value, winner = static_cast<ptrdiff_t>(i);
        }
        if (winner >= 0) want_dmax[static_cast<size_t>(winner)] += static_cast<double>(dy[r * d.c + j]);
        const double got = static_cast<double>(max[r * d.c + j]), mean = static_cast<double>(avg[r * d.c + j]);
        const double want_mean = under.empty() ? 0 : sum / static_cast<double>(under.size());
        CHECK_NOTE(got == best || (isnan(got) && isnan(best)), "%s max_pool round %d: %g, %g", table.isa, round, got,
                   best);
        CHECK_NOTE(picked[r * d.c + j] == (winner < 0 ? T(0) : g[static_cast<size_t>(winner)]),
                   "%s max_pool_pick round %d", table.isa, round);
        CHECK_NOTE(fabs(mean - want_mean) <= tolerance || (isnan(mean) && isnan(want_mean)), "%s avg_pool round %d",
                   table.isa, round);
      }
    for (size_t i = 0; i < x.size(); ++i) {
      CHECK_NOTE(fabs(static_cast<double>(dmax[i]) - want_dmax[i]) <= tolerance, "%s max_pool_grad round %d at %zu",
                 table.isa, round, i);
      CHECK_NOTE(fabs(static_cast<double>(davg[i]) - want_davg[i]) <= tolerance, "%s avg_pool_grad round %d at %zu",
                 table.isa, round, i);
    }
  }
}

// Sums of up to 64 products for y and 108 for the gradients of numbers below 1.
template <class T>
bool near(const std::vector<T>& got, const std::vector<double>& want) {
  for (size_t i = 0; i < got.size(); ++i)
    if (!(fabs(static_cast<double>(got[i]) - want[i]) <= 200 * std::numeric_limits<T>::epsilon())) return false;
  return true;
}

template <class T>
void check_depthwise(const KernelTable& table) {
  for (int round = 0; round < 300; ++round) {
    const WindowDims d = random_dims();
    const size_t positions = positions_of(d);
    const auto x = random_vector<T>(elements_of(d)), w = random_vector<T>(taps_of(d) * d.c),
               bias = random_vector<T>(d.c), dy = random_vector<T>(positions * d.c);
    std::vector<T> y(dy.size()), biased(dy.size()), rectified(dy.size()), bent(dy.size()), dx(x.size(), T(9)),
        dw(w.size(), T(9));
    const double slope = 0.25;
    KERNEL(depthwise)(x.data(), w.data(), nullptr, y.data(), &d, kActNone, nullptr);
    KERNEL(depthwise)(x.data(), w.data(), bias.data(), biased.data(), &d, kActNone, nullptr);
    KERNEL(depthwise)(x.data(), w.data(), bias.data(), rectified.data(), &d, kActRelu, nullptr);
    KERNEL(depthwise)(x.data(), w.data(), bias.data(), bent.data(), &d, kActLeakyRelu, &slope);
    KERNEL(depthwise_input_grad)(dy.data(), w.data(), dx.data(), &d);
    KERNEL(depthwise_filter_grad)(dy.data(), x.data(), dw.data(), &d);
    std::vector<double> want(y.size()), want_biased(y.size()), want_dx(x.size()), want_dw(w.size());
    for (size_t r = 0; r < positions; ++r)
      for (size_t j = 0; j < d.c; ++j) {
        const size_t to = r * d.c + j;
        const double g = static_cast<double>(dy[to]);
        for (size_t t = 0; t < taps_of(d); ++t) {
          const ptrdiff_t at = offset_of(d, r, t);
          if (at < 0) continue;
          const size_t i = static_cast<size_t>(at) + j, k = t * d.c + j;
          want[to] += static_cast<double>(x[i]) * static_cast<double>(w[k]);
          want_dx[i] += g * static_cast<double>(w[k]);
          want_dw[k] += g * static_cast<double>(x[i]);
        }
        want_biased[to] = want[to] + static_cast<double>(bias[j]);
      }
    CHECK_NOTE(near(y, want), "%s depthwise round %d", table.isa, round);
    CHECK_NOTE(near(biased, want_biased), "%s depthwise with bias round %d", table.isa, round);
    CHECK_NOTE(near(dx, want_dx), "%s depthwise_input_grad round %d", table.isa, round);
    CHECK_NOTE(near(dw, want_dw), "%s depthwise_filter_grad round %d", table.isa, round);
    bool same = true;
    for (size_t i = 0; i < y.size(); ++i)
      same = same && rectified[i] == std::max(T(0), biased[i]) &&
             bent[i] == (biased[i] < 0 ? static_cast<T>(slope) * biased[i] : biased[i]);
    CHECK_NOTE(same, "%s depthwise with activation round %d", table.isa, round);
  }
}

template <class T>
void check_type(const KernelTable& table) {
  check_distributions<T>(table);
  check_optimizers<T>(table);
  check_adam_quotient<T>(table);
  check_conv<T>(table);
  check_pool<T>(table);
  check_depthwise<T>(table);
}

}  // namespace

int main() {
  for (const char* const* isa = isas_supported(); *isa; ++isa) {
    const KernelTable& table = *table_for(*isa);
    check_bits(table);
    check_type<float>(table);
    check_type<double>(table);
  }
  return check::result();
}
