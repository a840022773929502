// Products with int8 weights by integer dot products, for instruction sets that add four products of bytes to an int32
// (AVX-512 VNNI): nothing is widened, and three instructions do what takes four fma of floats and the widening.
//
// A row of x is written in fixed point, x = 2^e (u - 2^23) / 2^22 with u of 24 bits and 2^e <= max |x| < 2^(e + 1),
// which moves no number by more than 2^-23 max |x|. With u = 2^16 u2 + 2^8 u1 + u0 a column is
//
//     y = scale 2^(e - 22) (2^16 (sum u2 q - 128 sum q) + 2^8 sum u1 q + sum u0 q) + bias,
//
// where the sums are exact; what is in brackets is rounded twice, and y twice more. (Splitting numbers into digits
// whose products are exact is Ozaki, Ogita, Oishi and Rump, "Error-free transformations of matrix multiplication by
// using fast routines", Numerical Algorithms 59, 2012.) A row has 2^e of its own, so its bits do not depend on the
// other rows. k is cut every kDotK: sums of the pieces are added as floats. A piece of a row with NaN or inf is
// multiplied as floats.
//
// Measured on a Xeon of 2023 (two fma and two vpdpbusd of 64 bytes a cycle) by benchmarks/run.py, against
// LAYERNET_ISA=avx512, which widens in registers: recsys 14.6 us instead of 30.5 for one row, 650 us instead of 822 for
// 64, 10.8 ms instead of 13.6 for 1024; tabular 1.15 us instead of 1.87 for one row. Layers of k = 16 and 64 lost by
// it. By AMX 64 rows take 209 us and 1024 rows 3.6 ms.
#pragma once

#include "gemm_small.inl.h"

LN_BEGIN_TARGET

constexpr size_t kDotLeastK = 128;   // what ends the sums of a shorter k costs more than is won
constexpr size_t kDotK = 2048;       // 4 rows of digits take 24 KB of L1; an int32 overflows beyond 66 000
constexpr size_t kDotColumns = 256;  // with kDotK 512 KB of weights, which stay in L2 for all the rows
constexpr size_t kDotRows = 4;
constexpr int kDotVecs = 8;
constexpr size_t kDotWidth = static_cast<size_t>(Tile<float>::width), kDotLanes = 16;

// Packed: panels of kDotWidth columns, in which the 4 weights of a column that are multiplied at once are neighbours,
// [k / 4][columns][4]; then the scales, then 128 times the sum of each column.
LN_INLINE size_t dot_groups(size_t k) {
  return (k + 3) / 4;
}
struct DotWeights {
  int8_t* q;
  float* scale;
  int32_t* shift;  // for each piece of k
  size_t columns, groups;
  LN_INLINE DotWeights(const void* packed, size_t k, size_t n)
      : columns((n + kDotWidth - 1) / kDotWidth * kDotWidth), groups(dot_groups(k)) {
    char* p = static_cast<char*>(const_cast<void*>(packed));
    q = reinterpret_cast<int8_t*>(p);
    scale = reinterpret_cast<float*>(p + columns * groups * 4);
    shift = reinterpret_cast<int32_t*>(scale + columns);
  }
  LN_INLINE size_t place(size_t p, size_t j) const {
    return (j / kDotWidth * groups + p / 4) * kDotWidth * 4 + j % kDotWidth * 4 + p % 4;
  }
};
LN_INLINE size_t dot_pieces(size_t k) {
  return k == 0 ? 1 : (k + kDotK - 1) / kDotK;
}

// A piece of a row in digits.
struct DotRow {
  float factor[3];  // of the sums of the digits 0, 1, 2: 2^-22, 2^-14 and 2^-6, times 2^e where e < 0
  float rest;       // 2^e where e > 0
  bool finite;
};

// Writes the digits of x [k] to three planes, which are filled up to a whole vector.
LN_INLINE DotRow split_row(const float* x, size_t k, uint8_t* digits, size_t plane) {
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  __m512i most = _mm512_setzero_si512();
  const auto load = [&](size_t p) {
    return Vec<float>::load_partial(x + p, static_cast<int>(k - p < kDotLanes ? k - p : kDotLanes)).v;
  };
  // As integers, among which NaN is the largest.
  for (size_t p = 0; p < k; p += kDotLanes)
    most = _mm512_max_epi32(most, _mm512_and_si512(magnitude, _mm512_castps_si512(load(p))));
  const int32_t largest = _mm512_reduce_max_epi32(most);
  int e = (largest >> 23) - 127;
  const bool finite = e < 128;
  e = e < -100 ? -100 : e > 127 ? 127 : e;  // smaller numbers count as 0
  const auto power = [](int exponent) {
    const int32_t bits = (exponent + 127) << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
  };
  const __m512 unit = _mm512_set1_ps(power(22 - e)), limit = _mm512_set1_ps(0x7fffffp0F);
  const __m512i offset = _mm512_set1_epi32(1 << 23);
  for (size_t p = 0; p < k; p += kDotLanes) {
    const __m512i u = _mm512_add_epi32(offset, _mm512_cvtps_epi32(_mm512_min_ps(limit, _mm512_mul_ps(load(p), unit))));
    _mm_store_si128(reinterpret_cast<__m128i*>(digits + p), _mm512_cvtepi32_epi8(u));
    _mm_store_si128(reinterpret_cast<__m128i*>(digits + plane + p), _mm512_cvtepi32_epi8(_mm512_srli_epi32(u, 8)));
    _mm_store_si128(reinterpret_cast<__m128i*>(digits + 2 * plane + p), _mm512_cvtepi32_epi8(_mm512_srli_epi32(u, 16)));
  }
  const float low = power(e < 0 ? e : 0);
  return {{0x1p-22F * low, 0x1p-14F * low, 0x1p-6F * low}, power(e > 0 ? e : 0), finite};
}

// One tile's operands; b, scale, shift, bias and c point at its first column.
struct DotCall {
  const float* x;  // the rows themselves
  size_t rsa, csa;
  const uint8_t* digits;  // planes of the rows, one after another
  size_t plane;
  const DotRow* rows;
  const int8_t* b;
  size_t panel_stride;
  size_t k;
  const float* scale;
  const int32_t* shift;
  const float* bias;
  float* c;
  size_t ldc, columns;
  bool add_c, relu;
};

// y = (sum scale) rest + bias or C, for the columns of vector v there are.
LN_INLINE void dot_finish(const DotCall& t, int r, int v, __m512 sum, float rest) {
  const size_t first = static_cast<size_t>(v) * kDotLanes;
  if (first >= t.columns) return;
  const int count = static_cast<int>(t.columns - first < kDotLanes ? t.columns - first : kDotLanes);
  float* const c = t.c + static_cast<size_t>(r) * t.ldc + first;
  const Vec<float> start = t.add_c  ? Vec<float>::load_partial(c, count)
                           : t.bias ? Vec<float>::load_partial(t.bias + first, count)
                                    : Vec<float>::zero();
  const Vec<float> scaled = {_mm512_mul_ps(sum, _mm512_loadu_ps(t.scale + first))};
  Vec<float> y = fma(scaled, Vec<float>::set1(rest), start);
  if (t.relu) y = max(Vec<float>::zero(), y);
  y.store_partial(c, count);
}

// A row that is not finite, as floats.
inline void dot_float_row(const DotCall& t, int r, int vecs) noexcept {
  for (int v = 0; v < vecs; ++v) {
    const int8_t* b = t.b + static_cast<size_t>(v / 2) * t.panel_stride + static_cast<size_t>(v % 2) * 64;
    __m512 sum = _mm512_setzero_ps();
    for (size_t p = 0; p < t.k; ++p) {
      const __m512i four = _mm512_loadu_si512(b + p / 4 * (kDotWidth * 4));
      const unsigned left = 24 - 8 * static_cast<unsigned>(p % 4);
      const __m512i q = _mm512_srai_epi32(_mm512_sll_epi32(four, _mm_cvtsi32_si128(static_cast<int>(left))), 24);
      sum =
          _mm512_fmadd_ps(_mm512_set1_ps(t.x[static_cast<size_t>(r) * t.rsa + p * t.csa]), _mm512_cvtepi32_ps(q), sum);
    }
    dot_finish(t, r, v, sum, 1.0F);
  }
}

// A row of a tile from its sums, those of a vector `vector` apart and those of a digit `digit`.
LN_INLINE void dot_row(const DotCall& t, int r, int vecs, const int32_t* sums, size_t vector, size_t digit) {
  const DotRow& row = t.rows[r];
  if (!row.finite) return dot_float_row(t, r, vecs);
  for (int v = 0; v < vecs; ++v, sums += vector) {
    const auto s = [&](size_t d) { return _mm512_load_si512(sums + d * digit); };
    const __m512i high = _mm512_sub_epi32(s(2), _mm512_loadu_si512(t.shift + v * 16));
    __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(s(0)), _mm512_set1_ps(row.factor[0]));
    y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(s(1)), _mm512_set1_ps(row.factor[1]), y);
    y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), _mm512_set1_ps(row.factor[2]), y);
    dot_finish(t, r, v, y, row.rest);
  }
}

template <int R, int V>
void dot_tile(const DotCall& t) noexcept {
  __m512i sum[R * V * 3];  // flat: gcc 12 keeps [R][V][3] in memory, which takes twice as long
  unroll<R * V * 3>(LN_EACH(i) { sum[i] = _mm512_setzero_si512(); });
  const int8_t* b = t.b;
  const uint8_t* a = t.digits;
  const size_t plane = t.plane, panel_stride = t.panel_stride;
  const auto four = [&](int r, int d) __attribute__((always_inline)) {
    int32_t bytes;
    memcpy(&bytes, a + static_cast<size_t>(3 * r + d) * plane, sizeof bytes);
    return _mm512_set1_epi32(bytes);
  };
  const auto row_of_b = [&](int v) __attribute__((always_inline)) {
    return _mm512_loadu_si512(b + static_cast<size_t>(v / 2) * panel_stride + static_cast<size_t>(v % 2) * 64);
  };
  for (size_t g = dot_groups(t.k); g != 0; --g) {
    if constexpr (R <= 2) {
      __m512i x[R][3];
      unroll<R>(LN_EACH(r) { unroll<3>(LN_EACH(d) { x[r][d] = four(r, d); }); });
      unroll<V>(LN_EACH(v) {
        const __m512i w = row_of_b(v);
        unroll<R>(LN_EACH(r) {
          unroll<3>(
              LN_EACH(d) { sum[(r * V + v) * 3 + d] = _mm512_dpbusd_epi32(sum[(r * V + v) * 3 + d], x[r][d], w); });
        });
      });
    } else {
      __m512i w[V];
      unroll<V>(LN_EACH(v) { w[v] = row_of_b(v); });
      unroll<3 * R>(LN_EACH(i) {
        const __m512i x = four(i / 3, i % 3);
        unroll<V>(LN_EACH(v) {
          sum[(i / 3 * V + v) * 3 + i % 3] = _mm512_dpbusd_epi32(sum[(i / 3 * V + v) * 3 + i % 3], x, w[v]);
        });
      });
    }
    a += 4;
    b += kDotWidth * 4;
  }
  // To memory, so that what follows is an ordinary loop.
  alignas(64) int32_t sums[R * V * 3 * kDotLanes];
  unroll<R * V * 3>(LN_EACH(i) { _mm512_store_si512(sums + i * kDotLanes, sum[i]); });
  for (int r = 0; r < R; ++r)
    dot_row(t, r, V, sums + static_cast<size_t>(r * V) * 3 * kDotLanes, 3 * kDotLanes, kDotLanes);
}

using DotFn = void (*)(const DotCall&) noexcept;
// kDotTiles[rows][panels], null where the registers would not do.
constexpr DotFn kDotTiles[kDotRows + 1][kDotVecs / 2 + 1] = {
    {},
    {nullptr, &dot_tile<1, 2>, &dot_tile<1, 4>, &dot_tile<1, 6>, &dot_tile<1, 8>},
    {nullptr, &dot_tile<2, 2>, &dot_tile<2, 4>},
    {nullptr, &dot_tile<3, 2>},
    {nullptr, &dot_tile<4, 2>},
};
constexpr size_t kDotPanels[kDotRows + 1] = {0, 4, 2, 1, 1};

// The digits of rows of one piece of k, which t and split come to describe.
LN_INLINE void split_digits(DotCall& t, size_t rows, uint8_t* digits, DotRow* split) {
  alignas(64) float gathered[kDotK];
  t.plane = (t.k + kDotLanes - 1) / kDotLanes * kDotLanes;
  t.digits = digits;
  t.rows = split;
  for (size_t r = 0; r < rows; ++r) {
    const float* x = t.x + r * t.rsa;
    if (t.csa != 1) {
      for (size_t p = 0; p < t.k; ++p) gathered[p] = x[p * t.csa];
      x = gathered;
    }
    split[r] = split_row(x, t.k, digits + 3 * r * t.plane, t.plane);
  }
}

// Up to kDotRows rows of one piece of k: their digits, then every tile. t.columns is the number of all columns.
inline void dot_rows_of_piece(DotCall t, size_t rows) noexcept {
  alignas(64) uint8_t digits[kDotRows * 3 * kDotK];
  DotRow split[kDotRows];
  split_digits(t, rows, digits, split);
  const size_t most = kDotPanels[rows];
  for (size_t all = t.columns, panels; all > 0;) {
    panels = (all + kDotWidth - 1) / kDotWidth;
    if (panels > most) panels = most;
    t.columns = all < panels * kDotWidth ? all : panels * kDotWidth;
    kDotTiles[rows][panels](t);
    const size_t done = panels * kDotWidth;
    t.b += panels * t.panel_stride;
    t.scale += done;
    t.shift += done;
    t.bias = shift_bias(t.bias, done);
    t.c += done;
    all -= t.columns;
  }
}

// Columns [first, first + count), `block_n` at a time for all rows and these by `rows_at_once`, whose pieces of k
// `rows` multiplies; first is a multiple of the panel width. Nothing is accumulated.
template <class Rows>
LN_INLINE void dot_columns(const GemmArgs& g, size_t first, size_t count, size_t rows_at_once, size_t block_n,
                           const Rows& rows) {
  if (g.m == 0 || count == 0) return;
  FlushDenormals mode;
  const Epilogue<float> epilogue(g.activation, g.act_params);
  const DotWeights w(g.b, g.k, g.n);
  const size_t step_n = g.m <= rows_at_once ? count : block_n;
  for (size_t end = first + count, j = first; j < end; j += step_n) {
    const size_t here = end - j < step_n ? end - j : step_n;
    for (size_t piece = 0; piece < dot_pieces(g.k); ++piece) {
      const size_t p = piece * kDotK;
      DotCall t{};
      t.rsa = g.rsa, t.csa = g.csa;
      t.k = g.k - p < kDotK ? g.k - p : kDotK;
      t.b = w.q + (j / kDotWidth * w.groups + p / 4) * kDotWidth * 4;
      t.panel_stride = w.groups * kDotWidth * 4;
      t.scale = w.scale + j;
      t.shift = w.shift + piece * w.columns + j;
      t.bias = shift_bias(static_cast<const float*>(g.bias), j);
      t.ldc = g.ldc, t.columns = here;
      t.add_c = piece > 0;
      t.relu = g.activation == kActRelu && p + t.k == g.k;
      for (size_t i = 0; i < g.m; i += rows_at_once) {
        t.x = static_cast<const float*>(g.a) + i * g.rsa + p * g.csa;
        t.c = static_cast<float*>(g.c) + i * g.ldc + j;
        rows(t, g.m - i < rows_at_once ? g.m - i : rows_at_once);
      }
    }
    if (epilogue.none()) continue;
    epilogue.apply(static_cast<float*>(g.c) + j, g.ldc, g.m, here, mode);
    mode.flush();
  }
}

struct DotProduct {
  static size_t bytes(size_t k, size_t n) noexcept {
    if (n <= Tile<float>::narrow_limit) return 0;
    const size_t columns = (n + kDotWidth - 1) / kDotWidth * kDotWidth;
    return columns * (dot_groups(k) * 4 + sizeof(float) + dot_pieces(k) * sizeof(int32_t));
  }
  static void pack(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
    const DotWeights w(packed, k, n);
    memset(packed, 0, bytes(k, n));
    for (size_t p = 0; p < k; ++p)
      for (size_t j = 0; j < n; ++j) w.scale[j] = larger(w.scale[j], b[p * rsb + j * csb]);
    for (size_t j = 0; j < w.columns; ++j) w.scale[j] = int8_scale(w.scale[j]);
    for (size_t p = 0; p < k; ++p) {
      int32_t* shift = w.shift + p / kDotK * w.columns;
      for (size_t j = 0; j < n; ++j) {
        const int8_t q = to_int8(b[p * rsb + j * csb], w.scale[j]);
        w.q[w.place(p, j)] = q;
        shift[j] += 128 * q;
      }
    }
  }

  static void columns(const GemmArgs& g, size_t first, size_t count) noexcept {
    dot_columns(g, first, count, kDotRows, kDotColumns, dot_rows_of_piece);
  }
};

LN_END_TARGET
