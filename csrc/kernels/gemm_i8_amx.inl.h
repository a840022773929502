// The integer dot products of gemm_dot.inl.h by AMX, for more rows than vectors serve best: a tile of the digits of 16
// rows times a tile of weights, 16 x 64 x 16 products in 16 cycles. Sums of integers are exact in any order, so that
// the bits are those of the vectors.
#pragma once

#include "amx.inl.h"
#include "gemm_dot.inl.h"

LN_BEGIN_TARGET

constexpr size_t kDotAmxLeast = 5;                  // rows
constexpr size_t kDotAmxWeights = size_t{1} << 20;  // of the weights that stay in L2 for all the rows
constexpr size_t kTileGroups = 16;                  // of 4 weights, in a tile

// Up to 16 rows of one piece of k.
inline void dot_amx_rows(DotCall t, size_t rows) noexcept {
  alignas(64) uint8_t digits[kTileRows * 3 * kDotK];
  alignas(64) int32_t sums[3 * kTileRows * kTileColumns];
  DotRow split[kTileRows];
  split_digits(t, rows, digits, split);
  const size_t row = 3 * t.plane, whole = dot_groups(t.k) / kTileGroups;
  const bool rest = dot_groups(t.k) % kTileGroups != 0;
  for (size_t v = 0; v * kTileColumns < t.columns; ++v) {
    DotCall here = t;
    const size_t first = v * kTileColumns;
    here.b += v / 2 * t.panel_stride + v % 2 * 64;
    here.scale += first;
    here.shift += first;
    here.bias = shift_bias(t.bias, first);
    here.c += first;
    here.columns -= first;
    const uint8_t* a = digits;
    const int8_t* b = here.b;
    tile_memory();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    for (size_t s = 0; s < whole; ++s, a += 64, b += kTileGroups * kDotWidth * 4) {
      _tile_loadd(4, b, kDotWidth * 4);
      _tile_loadd(3, a, row);
      _tile_dpbusd(0, 3, 4);
      _tile_loadd(7, a + t.plane, row);
      _tile_dpbusd(1, 7, 4);
      _tile_loadd(3, a + 2 * t.plane, row);
      _tile_dpbusd(2, 3, 4);
    }
    if (rest) {
      _tile_loadd(6, b, kDotWidth * 4);
      _tile_loadd(5, a, row);
      _tile_dpbusd(0, 5, 6);
      _tile_loadd(5, a + t.plane, row);
      _tile_dpbusd(1, 5, 6);
      _tile_loadd(5, a + 2 * t.plane, row);
      _tile_dpbusd(2, 5, 6);
    }
    constexpr size_t digit = kTileRows * kTileColumns;
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + digit, 64);
    _tile_stored(2, sums + 2 * digit, 64);
    tile_memory();
    for (size_t r = 0; r < rows; ++r) dot_row(here, static_cast<int>(r), 1, sums + r * kTileColumns, 0, digit);
  }
}

// Tiles 0 to 2 sums, 3 and 7 digits, 4 weights; 5 and 6 digits and weights of the last k % 64.
LN_INLINE void configure_dot_tiles(size_t k) {
  const size_t rest = dot_groups(k) % kTileGroups;
  TileConfig config;
  for (int i = 0; i < 8; ++i) config.set(i, kTileRows, 64);
  if (rest != 0) {
    config.set(5, kTileRows, rest * 4);
    config.set(6, rest, 64);
  }
  config.load();
}

inline void dot_amx_columns(const GemmArgs& g, size_t first, size_t count) noexcept {
  configure_dot_tiles(g.k);
  const size_t block_n = kDotAmxWeights / (g.k < kDotK ? g.k : kDotK) / kDotWidth * kDotWidth;
  dot_columns(g, first, count, kTileRows, block_n, dot_amx_rows);
  _tile_release();
}

LN_END_TARGET
