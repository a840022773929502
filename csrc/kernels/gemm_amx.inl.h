// float32 products by AMX, whose tiles multiply bfloat16 numbers and add up in float32, 16 times as fast as fma does.
//
// A float32 is the sum of three bfloat16 numbers (amx.inl.h), x = h + m + l with |m| < 2^-7 |x| and |l| < 2^-15 |x|. Of
// the nine products of x and w = H + M + L, which are exact in float32, six are added up:
//
//     x w = h L + h M + m M + m H + l H + h H + r,    |r| <= 2^-21 |x w|, in the mean 2^-24 |x w|
//
// (Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision
// Computations", ARITH 2019). An element of C is one chain of additions: for each 32 of the k the six in this order,
// for each of them the sum of the products of even k and of those of odd k, each a chain of fma. That is how the
// instruction is defined; the chain does not depend on the other rows. Bias and old C are added at the end. Against
// double the error is smaller than that of one chain of fma, as the chains are shorter. Denormal parts count as 0, as
// denormals do in all products (flush.h).
//
// inf and NaN make every sum they take part in inf or NaN. A vector of sums that has such an element is computed again
// by fma.
//
// The parts of A and B are made here, block by block: packed B stays float32, as six bytes a weight instead of four
// would slow down what memory bounds. To split 16 weights takes 4.4 cycles, so that few rows cost more than by fma
// where B is in L2, and hardly more beyond, where the weights arrive more slowly. Measured on a Xeon of 2023 by
// benchmarks/kernels/bench_gemm with B packed, by AMX and by gemm_packed_f32:
//   8 x 1024 x 1024    152 us, 143 us      L3 at 30 GB/s
//   32 x 1024 x 1024   250 us, 351 us
//   256 x 1024 x 1024  1.57 ms, 2.86 ms
//   256 x 4096 x 4096  24.4 ms, 51.5 ms
#pragma once

#include "amx.inl.h"
#include "gemm.inl.h"

LN_BEGIN_TARGET

constexpr size_t kAmxWidth = static_cast<size_t>(Tile<float>::width);  // of a panel of B: two tiles
static_assert(kAmxWidth == 2 * kTileColumns);
// A block is kAmxM rows by kAmxN columns, whose sums wait in L2 while k runs in steps of kAmxK; the parts of a panel of
// B take 24 KB of L1, those of the rows 192 KB of L2. Without a workspace a block is kAmxFewRows rows.
constexpr size_t kAmxM = 256, kAmxN = 512, kAmxK = 128, kAmxFewRows = 32, kAmxFewK = 256;
constexpr size_t kSumRow = kAmxN + 16;  // floats: not a multiple of 4 KB

LN_INLINE size_t padded_rows(size_t m) {
  return (m + kTileRows - 1) / kTileRows * kTileRows;
}
constexpr size_t amx_room(size_t rows) {
  return rows * (kSumRow * sizeof(float) + (rows <= kAmxFewRows ? kAmxFewK : kAmxK) * 3 * sizeof(uint16_t));
}

// B [k, n], packed or in place.
struct AmxB {
  const float* b;
  size_t rsb, csb, k, n;
  bool packed;

  LN_INLINE bool in_rows(size_t j) const { return packed || (csb == 1 && j + kAmxWidth <= n); }
  LN_INLINE const float* at(size_t p, size_t j) const {
    return packed ? b + (j / kAmxWidth * k + p) * kAmxWidth : b + p * rsb + j * csb;
  }
  LN_INLINE size_t row_stride() const { return packed ? kAmxWidth : rsb; }
};
// kAmxK rows of a panel, or fewer, and how far apart they are.
struct AmxRows {
  const float* b;
  size_t stride;
};
LN_INLINE AmxRows rows_of_b(const AmxB& b, size_t p, size_t count, size_t j, float* room) {
  if (b.in_rows(j)) return {b.at(p, j), b.row_stride()};
  pack_panels(b.at(p, j), b.rsb, b.csb, count, b.n - j < kAmxWidth ? b.n - j : kAmxWidth, kAmxWidth, room);
  return {room, kAmxWidth};
}

// 32 of the k rows of a panel from p on, or what there are, in parts: two tiles each of high, middle and low. Meanwhile
// rows further on are fetched, behind the last one those of `next`.
template <bool kFetch>
LN_INLINE void split_step(const AmxRows& rows, const AmxRows& next, size_t p, size_t k, uint16_t* to) {
  const size_t count = k - p < kTileK ? k - p : kTileK, ahead = p + 2 * kTileK;
  const float* b = rows.b + p * rows.stride;
  const float* fetch = ahead < k ? rows.b + ahead * rows.stride : next.b + (ahead - k) * next.stride;
  size_t q = 0;
  for (; q + 2 <= count; q += 2, b += 2 * rows.stride, fetch += 2 * next.stride, to += kTileK) {
    unroll<2>(LN_EACH(v) {
      store_parts(split_pairs(_mm512_loadu_si512(b + v * 16), _mm512_loadu_si512(b + rows.stride + v * 16)),
                  to + static_cast<size_t>(v) * kTileItems, 2 * kTileItems);
      if constexpr (kFetch) {
        __builtin_prefetch(fetch + v * 16, 0, 2);
        __builtin_prefetch(fetch + next.stride + v * 16, 0, 2);
      }
    });
  }
  for (; q < kTileK; q += 2, to += kTileK)
    for (int v = 0; v < 2; ++v) {
      const __m512i first = q < count ? _mm512_loadu_si512(b + v * 16) : _mm512_setzero_si512();
      store_parts(split_pairs(first, _mm512_setzero_si512()), to + static_cast<size_t>(v) * kTileItems, 2 * kTileItems);
    }
}

// The tile registers: 0 to 3 sums, 4 and 5 A, 6 and 7 B; of products of one tile of rows 2 to 4 are A.
LN_INLINE void configure_tiles(size_t rows) {
  TileConfig config;
  for (int i = 0; i < 8; ++i) config.set(i, i < 6 ? rows : kTileRows, 64);
  config.load();
}

// The sums of R tiles of rows by a panel.
template <int R>
LN_INLINE void load_sums(const float* c, bool first) {
  if (first) {
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (R == 2) {
      _tile_zero(2);
      _tile_zero(3);
    }
    return;
  }
  _tile_loadd(0, c, kSumRow * sizeof(float));
  _tile_loadd(1, c + 16, kSumRow * sizeof(float));
  if constexpr (R == 2) {
    _tile_loadd(2, c + 16 * kSumRow, kSumRow * sizeof(float));
    _tile_loadd(3, c + 16 * kSumRow + 16, kSumRow * sizeof(float));
  }
}
template <int R>
LN_INLINE void store_sums(float* c) {
  _tile_stored(0, c, kSumRow * sizeof(float));
  _tile_stored(1, c + 16, kSumRow * sizeof(float));
  if constexpr (R == 2) {
    _tile_stored(2, c + 16 * kSumRow, kSumRow * sizeof(float));
    _tile_stored(3, c + 16 * kSumRow + 16, kSumRow * sizeof(float));
  }
  tile_memory();
}

// Rows of B that will be wanted next, fetched a few at a time between other instructions.
struct AmxFetch {
  const float* b;
  size_t stride, rows;  // rows for each step
  // One sixth of the rows for a step.
  LN_INLINE void some(size_t sixth) {
    for (size_t end = rows * (sixth + 1) / 6, r = rows * sixth / 6; r < end; ++r, b += stride) {
      __builtin_prefetch(b, 0, 2);
      __builtin_prefetch(b + 16, 0, 2);
    }
  }
};

// 32 of the k for R tiles of rows, the parts of the second `second` behind those of the first, by a panel.
#define LN_A(tile, from, part) _tile_loadd(tile, (from) + (part) * items, 64)
#define LN_B(tile, column, part) _tile_loadd(tile, b + (2 * (part) + (column)) * kTileItems, 64)
template <int R>
LN_INLINE void multiply_step(const uint16_t* a, size_t items, size_t second, const uint16_t* b, AmxFetch& fetch) {
  enum { high, middle, low };
  tile_memory();
  if constexpr (R == 1) {
    LN_A(2, a, high);
    LN_A(3, a, middle);
    LN_A(4, a, low);
    LN_B(6, 0, low);
    LN_B(7, 1, low);
    _tile_dpbf16ps(0, 2, 6);
    _tile_dpbf16ps(1, 2, 7);
    LN_B(6, 0, middle);
    LN_B(7, 1, middle);
    _tile_dpbf16ps(0, 2, 6);
    _tile_dpbf16ps(0, 3, 6);
    _tile_dpbf16ps(1, 2, 7);
    _tile_dpbf16ps(1, 3, 7);
    LN_B(6, 0, high);
    LN_B(7, 1, high);
    _tile_dpbf16ps(0, 3, 6);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(0, 2, 6);
    _tile_dpbf16ps(1, 3, 7);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(1, 2, 7);
  } else {
#define LN_FOUR            \
  _tile_dpbf16ps(0, 4, 6); \
  _tile_dpbf16ps(2, 5, 6); \
  _tile_dpbf16ps(1, 4, 7); \
  _tile_dpbf16ps(3, 5, 7)
    const uint16_t* const a2 = a + second;
    LN_A(4, a, high);
    LN_B(6, 0, low);
    LN_A(5, a2, high);
    LN_B(7, 1, low);
    LN_FOUR;
    fetch.some(0);
    LN_B(6, 0, middle);
    LN_B(7, 1, middle);
    LN_FOUR;
    fetch.some(1);
    LN_A(4, a, middle);
    LN_A(5, a2, middle);
    LN_FOUR;
    fetch.some(2);
    LN_B(6, 0, high);
    LN_B(7, 1, high);
    LN_FOUR;
    fetch.some(3);
    LN_A(4, a, low);
    LN_A(5, a2, low);
    LN_FOUR;
    fetch.some(4);
    LN_A(4, a, high);
    LN_A(5, a2, high);
    LN_FOUR;
    fetch.some(5);
#undef LN_FOUR
  }
}
#undef LN_A
#undef LN_B

// `steps` times 32 of the k.
template <int R>
LN_INLINE void multiply(const uint16_t* a, const uint16_t* b, size_t steps, float* c, bool first, AmxFetch fetch) {
  tile_memory();
  load_sums<R>(c, first);
  for (size_t s = 0; s < steps; ++s)
    multiply_step<R>(a + s * 3 * kTileItems, kTileItems, steps * 3 * kTileItems, b + s * 6 * kTileItems, fetch);
  store_sums<R>(c);
}
// The same while the panel is split, so that one goes on where the other waits for memory.
template <int R>
LN_INLINE void split_and_multiply(const AmxRows& rows, const AmxRows& next, size_t k, const uint16_t* a, size_t items,
                                  uint16_t* b, float* c, bool first) {
  const size_t steps = tile_steps(k);
  const auto split = [&](size_t s) __attribute__((always_inline)) {
    split_step<true>(rows, next, s * kTileK, k, b + s % 2 * 6 * kTileItems);
  };
  split(0);
  tile_memory();
  load_sums<R>(c, first);
  AmxFetch nothing{rows.b, 0, 0};
  for (size_t s = 0; s < steps; ++s) {
    if (s + 1 < steps) split(s + 1);
    multiply_step<R>(a + s * 3 * items, items, steps * 3 * items, b + s % 2 * 6 * kTileItems, nothing);
  }
  store_sums<R>(c);
}

// --- one row, by fma with the roundings of the tiles
// Ten instructions for 16 weights, which the tiles need fewer of, but the CPU runs at its full clock and its prefetcher
// keeps up: for recsys at one row tiles took a quarter more. Where more weights than this come from memory the tiles
// win, whose splitting fetches ahead: wide at one row took twice as long by fma.
constexpr size_t kAmxRowWeights = size_t{1} << 21;
LN_INLINE bool one_row(const GemmArgs& g) {
  return g.m == 1 && g.k * g.n <= kAmxRowWeights;
}
constexpr size_t kAmxRowK = 1024, kAmxRowPart = kAmxRowK + 16;  // floats; the parts take 12 KB of L1
// The parts of x [k], kAmxRowPart apart.
inline void split_row(const float* x, size_t csa, size_t k, float* parts) noexcept {
  for (size_t p = 0; p < k; ++p) {
    float rest = x[p * csa];
    for (size_t part = 0; part < 3; ++part) {
      uint32_t bits;
      memcpy(&bits, &rest, sizeof bits);
      bits &= 0xffff0000U;
      float cut;
      memcpy(&cut, &bits, sizeof cut);
      parts[part * kAmxRowPart + p] = cut;
      rest -= cut;
    }
  }
}
// Sums of a panel, x being what split_row wrote.
inline void multiply_row(const float* x, const AmxRows& rows, size_t k, float* c, bool first) noexcept {
  const __m512 top = _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(0xffff0000)));
  alignas(64) float sums[32];
  for (int i = 0; i < 32; ++i) sums[i] = first ? 0.0F : c[i];
  const float *b = rows.b, *xm = x + kAmxRowPart, *xl = xm + kAmxRowPart;
  for (size_t p = 0; p < k; p += kTileK) {
    const size_t count = k - p < kTileK ? k - p : kTileK;
    __m512 chain[24];  // of each vector the six products of even k, then those of odd k
    unroll<24>(LN_EACH(i) { chain[i] = _mm512_setzero_ps(); });
    const auto add = [&](size_t q, auto odd) __attribute__((always_inline)) {
      unroll<2>(LN_EACH(v) {
        constexpr int at = 12 * decltype(v)::value + 6 * decltype(odd)::value;
        const __m512 w = _mm512_loadu_ps(b + v * 16);
        const __m512 high = _mm512_and_ps(w, top), rest = _mm512_sub_ps(w, high);
        const __m512 middle = _mm512_and_ps(rest, top), low = _mm512_sub_ps(rest, middle);
        chain[at] = _mm512_fmadd_ps(low, _mm512_set1_ps(x[q]), chain[at]);
        chain[at + 1] = _mm512_fmadd_ps(middle, _mm512_set1_ps(x[q]), chain[at + 1]);
        chain[at + 2] = _mm512_fmadd_ps(middle, _mm512_set1_ps(xm[q]), chain[at + 2]);
        chain[at + 3] = _mm512_fmadd_ps(high, _mm512_set1_ps(xm[q]), chain[at + 3]);
        chain[at + 4] = _mm512_fmadd_ps(high, _mm512_set1_ps(xl[q]), chain[at + 4]);
        chain[at + 5] = _mm512_fmadd_ps(high, _mm512_set1_ps(x[q]), chain[at + 5]);
      });
      b += rows.stride;
    };
    size_t q = p;
    for (; q + 2 <= p + count; q += 2) {
      add(q, Index<0>{});
      add(q + 1, Index<1>{});
    }
    if (q < p + count) add(q, Index<0>{});
    unroll<2>(LN_EACH(v) {
      __m512 sum = _mm512_load_ps(sums + 16 * v);
      unroll<6>(LN_EACH(i) { sum = _mm512_add_ps(sum, _mm512_add_ps(chain[12 * v + i], chain[12 * v + 6 + i])); });
      _mm512_store_ps(sums + 16 * v, sum);
    });
  }
  for (int i = 0; i < 32; ++i) c[i] = sums[i];
}

// 16 sums of row i from column j on, by fma.
inline Vec<float> plain_sums(const GemmArgs& g, const AmxB& b, size_t i, size_t j) noexcept {
  alignas(64) float room[kAmxK * kAmxWidth];
  const size_t panel = j / kAmxWidth * kAmxWidth;
  const float* a = static_cast<const float*>(g.a) + i * g.rsa;
  Vec<float> sum = Vec<float>::zero();
  for (size_t p = 0; p < g.k; p += kAmxK) {
    const size_t count = g.k - p < kAmxK ? g.k - p : kAmxK;
    const AmxRows rows = rows_of_b(b, p, count, panel, room);
    for (size_t q = 0; q < count; ++q)
      sum = fma(Vec<float>::set1(a[(p + q) * g.csa]), Vec<float>::load(rows.b + q * rows.stride + (j - panel)), sum);
  }
  return sum;
}

// C = relu(sums + bias + C) for rows [i, i + rows) and columns [j, j + columns).
inline void finish_sums(const GemmArgs& g, const AmxB& b, size_t i, size_t rows, size_t j, size_t columns,
                        const float* sums) noexcept {
  const float* bias = static_cast<const float*>(g.bias);
  const bool relu = g.activation == kActRelu && g.gate == nullptr;
  for (size_t r = 0; r < rows; ++r, sums += kSumRow) {
    float* const c = static_cast<float*>(g.c) + (i + r) * g.ldc + j;
    for (size_t v = 0; v < columns; v += 16) {
      const int count = static_cast<int>(columns - v < 16 ? columns - v : 16);
      Vec<float> y = Vec<float>::load(sums + v);
      if (inf_or_nan(y)) y = plain_sums(g, b, i + r, j + v);
      finish_vector(y, shift_bias(bias, j + v), g.accumulate != 0, relu, c + v, count);
    }
  }
}

// Rows [i, i + rows) and columns [j, j + columns), at most kAmxN; room for the sums and parts of the rows.
inline void amx_block(const GemmArgs& g, const AmxB& b, size_t i, size_t rows, size_t j, size_t columns, size_t end,
                      char* room) noexcept {
  const size_t height = padded_rows(rows), tile_rows = g.m < kTileRows ? g.m : kTileRows;
  float* const sums = reinterpret_cast<float*>(room);
  uint16_t* const a = reinterpret_cast<uint16_t*>(room + height * kSumRow * sizeof(float));
  alignas(64) uint16_t parts[kAmxK * kAmxWidth * 3];
  alignas(64) float gathered[kAmxK * kAmxWidth];
  // Few rows leave room for more of the k, so that B is read in longer runs; gathered panels have room for kAmxK.
  const bool few = height <= 2 * kTileRows, gathers = !b.in_rows(j + (columns - 1) / kAmxWidth * kAmxWidth);
  const bool one = one_row(g);
  const size_t most = one ? kAmxRowK : kAmxFewRows * kAmxFewK / (height / kTileRows * tile_rows) / kTileK * kTileK;
  const size_t step = few && !gathers ? most : kAmxK;
  for (size_t p = 0; p < g.k; p += step) {
    const size_t k = g.k - p < step ? g.k - p : step, steps = tile_steps(k);
    const float* const x = static_cast<const float*>(g.a) + i * g.rsa + p * g.csa;
    if (one)
      split_row(x, g.csa, k, reinterpret_cast<float*>(a));
    else
      split_rows(x, g.rsa, g.csa, rows, k, tile_rows, a);
    for (size_t q = 0; q < columns; q += kAmxWidth) {
      const AmxRows from = rows_of_b(b, p, k, j + q, gathered);
      // What comes next is fetched: the panel to the right, or the next k of the first one, or the next block.
      AmxRows next = from;
      const bool right = q + kAmxWidth < columns, down = p + k < g.k;
      const size_t next_p = right ? p : down ? p + k : 0;
      const size_t next_j = right ? j + q + kAmxWidth : down ? j : j + columns;
      if (next_j < end && b.in_rows(next_j)) next = {b.at(next_p, next_j), b.row_stride()};
      float* const c = sums + q;
      if (one) {
        multiply_row(reinterpret_cast<const float*>(a), from, k, c, p == 0);
        continue;
      }
      if (few) {
        (height == kTileRows ? split_and_multiply<1> : split_and_multiply<2>)(from, next, k, a, tile_rows * kTileK,
                                                                              parts, c, p == 0);
        continue;
      }
      for (size_t s = 0; s < steps; ++s) split_step<false>(from, next, s * kTileK, k, parts + s * 6 * kTileItems);
      const size_t pairs = height / (2 * kTileRows), share = (k + pairs * steps - 1) / (pairs * steps);
      for (size_t r = 0; r < pairs; ++r)
        multiply<2>(a + r * steps * 6 * kTileItems, parts, steps, c + r * 2 * kTileRows * kSumRow, p == 0,
                    AmxFetch{next.b + r * steps * share * next.stride, next.stride, share});
      if (height % (2 * kTileRows) != 0)
        multiply<1>(a + pairs * steps * 6 * kTileItems, parts, steps, c + pairs * 2 * kTileRows * kSumRow, p == 0,
                    AmxFetch{next.b, 0, 0});
    }
  }
  finish_sums(g, b, i, rows, j, columns, sums);
}

// Columns [first, first + count); first is a multiple of kAmxWidth.
inline void amx_product(const GemmArgs& g, const AmxB& b, size_t first, size_t count) noexcept {
  if (g.m == 0 || count == 0) return;
  FlushDenormals mode;
  const Epilogue<float> epilogue = epilogue_of<float>(g);
  alignas(64) char local[amx_room(kAmxFewRows)];
  const bool few = g.m <= kAmxFewRows || g.workspace == nullptr;
  char* const room = few ? local : static_cast<char*>(g.workspace);
  const size_t most = few ? kAmxFewRows : kAmxM, end = first + count;
  const bool tiles = !one_row(g);
  if (tiles) configure_tiles(g.m < kTileRows ? g.m : kTileRows);
  for (size_t i = 0; i < g.m; i += most) {
    const size_t rows = g.m - i < most ? g.m - i : most;
    for (size_t j = first; j < end; j += kAmxN) {
      const size_t columns = end - j < kAmxN ? end - j : kAmxN;
      amx_block(g, b, i, rows, j, columns, end, room);
      if (epilogue.none()) continue;
      epilogue.apply(static_cast<float*>(g.c) + i * g.ldc + j, g.ldc, rows, columns, mode);
      mode.flush();
    }
  }
  if (tiles) _tile_release();
}

LN_END_TARGET
