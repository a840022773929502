// Products with bfloat16 weights by AMX: x in three parts (amx.inl.h), each times the weights, which is exact, in a
// chain of its own: for each 32 of the k the products of even k and those of odd k are added up apart and then to the
// chain, which the instruction does; every kBf16K of the k the chains are added, low + middle + high, and to that bias
// or C. It does not depend on the other rows. What holds of inf and NaN in gemm_amx.inl.h holds here.
//
// The tiles of weights are loaded as they are packed. Up to five rows are one tile of A with all their parts.
#pragma once

#include "amx.inl.h"
#include "gemm_small.inl.h"

LN_BEGIN_TARGET

constexpr size_t kBf16Least = size_t{1} << 14;    // weights: below this, configuring the tiles takes too long
constexpr size_t kBf16K = 256;                    // the parts of 16 rows take 24 KB of L1
constexpr size_t kBf16Weights = size_t{1} << 19;  // that stay in L2 for all the rows
constexpr size_t kBf16Stacked = 5;

// Panels of 32 columns: for each 32 of the k two tiles of pairs.
LN_INLINE size_t bf16_panel(size_t k) {
  return tile_steps(k) * 2 * kTileItems;
}
LN_INLINE size_t bf16_place(size_t k, size_t p, size_t j) {
  return j / 32 * bf16_panel(k) + p / kTileK * 2 * kTileItems + j % 32 / 16 * kTileItems + p % kTileK / 2 * 32 +
         j % 16 * 2 + p % 2;
}

// Sums of a panel for up to 16 rows: of each of its two vectors of columns high, middle and low.
constexpr size_t kBf16Sums = kTileRows * kTileColumns;

// Tiles 0 to 2 and 3 to 5 sums, 6 A, 7 B.
LN_INLINE void bf16_tiles(const uint16_t* a, size_t items, const uint16_t* b, size_t steps, float* sums) {
  tile_memory();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  for (size_t s = 0; s < steps; ++s, a += 3 * items, b += 2 * kTileItems) {
    _tile_loadd(7, b, 64);
    _tile_loadd(6, a, 64);
    _tile_dpbf16ps(0, 6, 7);
    _tile_loadd(6, a + items, 64);
    _tile_dpbf16ps(1, 6, 7);
    _tile_loadd(6, a + 2 * items, 64);
    _tile_dpbf16ps(2, 6, 7);
    _tile_loadd(7, b + kTileItems, 64);
    _tile_dpbf16ps(5, 6, 7);
    _tile_loadd(6, a + items, 64);
    _tile_dpbf16ps(4, 6, 7);
    _tile_loadd(6, a, 64);
    _tile_dpbf16ps(3, 6, 7);
  }
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums + kBf16Sums, 64);
  _tile_stored(2, sums + 2 * kBf16Sums, 64);
  _tile_stored(3, sums + 3 * kBf16Sums, 64);
  _tile_stored(4, sums + 4 * kBf16Sums, 64);
  _tile_stored(5, sums + 5 * kBf16Sums, 64);
  tile_memory();
}
// Tiles 0 and 1 sums, 2 A, 6 and 7 B.
LN_INLINE void bf16_stacked_tiles(const uint16_t* a, size_t items, const uint16_t* b, size_t steps, float* sums) {
  tile_memory();
  _tile_zero(0);
  _tile_zero(1);
  for (size_t s = 0; s < steps; ++s, a += 3 * items, b += 2 * kTileItems) {
    _tile_loadd(2, a, 64);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 2, 6);
    _tile_loadd(7, b + kTileItems, 64);
    _tile_dpbf16ps(1, 2, 7);
  }
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums + 3 * kBf16Sums, 64);
  tile_memory();
}
LN_INLINE void configure_bf16_tiles(size_t m) {
  const bool stacked = m <= kBf16Stacked;
  const size_t rows = stacked ? 3 * m : m < kTileRows ? m : kTileRows;
  TileConfig config;
  for (int i = 0; i < 8; ++i) config.set(i, i == 7 || (i == 6 && stacked) ? kTileRows : rows, 64);
  config.load();
}

// A row of x times 16 columns of a panel, by fma.
inline Vec<float> bf16_plain(const float* x, size_t csa, size_t k, const uint16_t* b) noexcept {
  Vec<float> sum = Vec<float>::zero();
  for (size_t p = 0; p < k; ++p) {
    const __m512i pair = _mm512_load_si512(b + p / kTileK * 2 * kTileItems + p % kTileK / 2 * 32);
    const __m512i w = p % 2 == 0 ? _mm512_slli_epi32(pair, 16)
                                 : _mm512_and_si512(pair, _mm512_set1_epi32(static_cast<int>(0xffff0000)));
    sum = fma(Vec<float>::set1(x[p * csa]), Vec<float>{_mm512_castsi512_ps(w)}, sum);
  }
  return sum;
}

// Rows [i, i + rows), at most 16, columns [j, j + columns) and k [p, p + k), at most kBf16K.
inline void bf16_rows(const GemmArgs& g, size_t i, size_t rows, size_t j, size_t columns, size_t p, size_t k) noexcept {
  alignas(64) uint16_t parts[kTileRows * 3 * kBf16K];
  alignas(64) float sums[6 * kBf16Sums];
  const bool stacked = g.m <= kBf16Stacked, relu = g.activation == kActRelu && p + k == g.k;
  const size_t tile_rows = g.m < kTileRows ? g.m : kTileRows;
  const size_t part = stacked ? rows * kTileColumns : kBf16Sums;  // from the sums of one part to those of the next
  const float* const x = static_cast<const float*>(g.a) + i * g.rsa + p * g.csa;
  const float* const bias = p == 0 ? static_cast<const float*>(g.bias) : nullptr;
  split_rows(x, g.rsa, g.csa, rows, k, tile_rows, parts);
  const uint16_t* b = static_cast<const uint16_t*>(g.b) + bf16_place(g.k, p, j);
  for (const size_t end = j + columns; j < end; j += 32, b += bf16_panel(g.k)) {
    (stacked ? bf16_stacked_tiles : bf16_tiles)(parts, tile_rows * kTileK, b, tile_steps(k), sums);
    float* c = static_cast<float*>(g.c) + i * g.ldc + j;
    for (size_t r = 0; r < rows; ++r, c += g.ldc)
      for (size_t v = 0; v < 2 && j + v * 16 < end; ++v) {
        const float* const s = sums + v * 3 * kBf16Sums + r * kTileColumns;
        const size_t first = v * 16;
        const int count = static_cast<int>(end - j - first < 16 ? end - j - first : 16);
        Vec<float> y = (Vec<float>::load(s + 2 * part) + Vec<float>::load(s + part)) + Vec<float>::load(s);
        if (inf_or_nan(y)) y = bf16_plain(x + r * g.rsa, g.csa, k, b + v * kTileItems);
        finish_vector(y, shift_bias(bias, j + first), p > 0 || g.accumulate != 0, relu, c + first, count);
      }
  }
}

struct AmxProduct {
  static bool serves(size_t k, size_t n) noexcept { return k >= 64 && n >= 64 && k * n >= kBf16Least; }
  static size_t bytes(size_t k, size_t n) noexcept { return (n + 31) / 32 * bf16_panel(k) * sizeof(uint16_t); }
  static void pack(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
    uint16_t* const to = static_cast<uint16_t*>(packed);
    memset(packed, 0, bytes(k, n));
    for (size_t p = 0; p < k; ++p)
      for (size_t j = 0; j < n; ++j) to[bf16_place(k, p, j)] = to_bf16(b[p * rsb + j * csb]);
  }
  // Columns [first, first + count); first is a multiple of 32.
  static void columns(const GemmArgs& g, size_t first, size_t count) noexcept {
    if (g.m == 0 || count == 0) return;
    FlushDenormals mode;
    const Epilogue<float> epilogue(g.activation, g.act_params);
    configure_bf16_tiles(g.m);
    const size_t step_n = g.m <= kTileRows ? count : kBf16Weights / (g.k < kBf16K ? g.k : kBf16K) / 32 * 32;
    for (size_t end = first + count, j = first; j < end; j += step_n) {
      const size_t here = end - j < step_n ? end - j : step_n;
      for (size_t p = 0; p < g.k; p += kBf16K)
        for (size_t i = 0; i < g.m; i += kTileRows)
          bf16_rows(g, i, g.m - i < kTileRows ? g.m - i : kTileRows, j, here, p, g.k - p < kBf16K ? g.k - p : kBf16K);
      if (epilogue.none()) continue;
      epilogue.apply(static_cast<float*>(g.c) + j, g.ldc, g.m, here, mode);
      mode.flush();
    }
    _tile_release();
  }
};

LN_END_TARGET
