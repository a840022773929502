// Matrix product with weights in a smaller type: bfloat16, or int8 with a scale for each column of B. They are widened
// in registers (gemm.inl.h), so that memory, which bounds products of few rows, has a half or a quarter to deliver.
//
// int8 weights are symmetric: w = q * scale with q in [-127, 127]. A scale is max |w| / 127 of its column with 16
// significant bits, so that q * scale is exact in float32, and quantizing that again gives q and scale back.
#pragma once

#include "gemm.inl.h"

LN_BEGIN_TARGET

// Few columns are multiplied as float32: there is little to save. 0 says so.
template <class W>
size_t small_b_bytes(size_t k, size_t n) noexcept {
  if (n <= Tile<float>::narrow_limit) return 0;
  const size_t columns = PackedLayout<float>::panels(n) * static_cast<size_t>(Tile<float>::width);
  const size_t weights = (columns * k * sizeof(W) + 63) / 64 * 64;
  return weights + (TileScale<W>::used ? columns * sizeof(float) : 0);
}
// Where the scales are.
LN_INLINE const float* packed_scales(const void* packed, size_t k, size_t n) {
  const size_t columns = PackedLayout<float>::panels(n) * static_cast<size_t>(Tile<float>::width);
  return reinterpret_cast<const float*>(static_cast<const char*>(packed) + (columns * k + 63) / 64 * 64);
}

// Rounded to nearest, ties to even; a NaN stays one.
LN_INLINE uint16_t to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// The scale of a column whose largest |w| is `largest`. A column of zeros has one too.
LN_INLINE float int8_scale(float largest) {
  constexpr float least = 7.8886091e-31F;  // 2^-100: smaller weights count as 0
  float scale = largest / 127.0F;
  if (!(scale - scale == 0.0F)) return scale;  // NaN and inf stay: nothing finite comes of this column
  uint32_t bits;
  memcpy(&bits, &scale, sizeof bits);
  bits = (bits + 0x80) & ~uint32_t{0xff};
  memcpy(&scale, &bits, sizeof bits);
  return scale > least ? scale : least;
}
// The largest |w|; NaN or inf when there is one.
LN_INLINE float larger(float largest, float w) {
  const float magnitude = w < 0.0F ? -w : w;
  return magnitude <= largest || largest != largest ? largest : magnitude;
}
LN_INLINE int8_t to_int8(float w, float scale) {
  const float q = w / scale;
  if (!(q >= -127.0F && q <= 127.0F)) return static_cast<int8_t>(q > 0.0F ? 127 : q < 0.0F ? -127 : 1);
  return static_cast<int8_t>(q < 0.0F ? q - 0.5F : q + 0.5F);
}

// B [k, n] with a scale for each of the n columns; q has the strides of B.
inline void quantize_i8(const float* b, size_t rsb, size_t csb, size_t k, size_t n, int8_t* q, float* scales) noexcept {
  for (size_t j = 0; j < n; ++j) scales[j] = 0.0F;
  for (size_t p = 0; p < k; ++p)
    for (size_t j = 0; j < n; ++j) scales[j] = larger(scales[j], b[p * rsb + j * csb]);
  for (size_t j = 0; j < n; ++j) scales[j] = int8_scale(scales[j]);
  for (size_t p = 0; p < k; ++p)
    for (size_t j = 0; j < n; ++j) q[p * rsb + j * csb] = to_int8(b[p * rsb + j * csb], scales[j]);
}

// Panels as pack_panels lays them out, pairs of vectors as load_pair takes them.
LN_INLINE size_t place_in_panel(const uint16_t*, size_t j) {
  constexpr size_t lanes = static_cast<size_t>(Tile<float>::lanes);
  return j / (2 * lanes) * (2 * lanes) + 2 * (j % lanes) + j / lanes % 2;
}
LN_INLINE size_t place_in_panel(const int8_t*, size_t j) {
  return j;
}
template <class W, class Convert>
LN_INLINE void pack_small(const float* b, size_t rsb, size_t csb, size_t k, size_t n, W* to, const Convert& convert) {
  constexpr size_t width = static_cast<size_t>(Tile<float>::width);
  for (size_t first = 0; first < n; first += width, to += k * width) {
    const size_t columns = n - first < width ? n - first : width;
    for (size_t p = 0; p < k; ++p)
      for (size_t j = 0; j < width; ++j)
        to[p * width + place_in_panel(to, j)] = j < columns ? convert(b[p * rsb + (first + j) * csb], first + j) : W(0);
  }
}

// Precondition: small_b_bytes is not 0; for int8, nothing to accumulate.
template <class W>
LN_INLINE void small_columns(const GemmArgs& g, size_t first, size_t columns) {
  if (g.m == 0 || columns == 0) return;
  FlushDenormals mode;
  TileCall<float, W> t = tile_call<float, W>(g);
  if constexpr (TileScale<W>::used) t.scale = packed_scales(g.b, g.k, g.n) + first;
  packed_wide(g, first, columns, t, Epilogue<float>(g.activation, g.act_params), mode);
}

// int8 weights widened in registers.
struct WideningProduct {
  static size_t bytes(size_t k, size_t n) noexcept { return small_b_bytes<int8_t>(k, n); }
  static void pack(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
    const size_t columns = PackedLayout<float>::panels(n) * static_cast<size_t>(Tile<float>::width);
    float* scales = const_cast<float*>(packed_scales(packed, k, n));
    for (size_t j = 0; j < columns; ++j) scales[j] = 0.0F;
    for (size_t p = 0; p < k; ++p)
      for (size_t j = 0; j < n; ++j) scales[j] = larger(scales[j], b[p * rsb + j * csb]);
    for (size_t j = 0; j < columns; ++j) scales[j] = int8_scale(scales[j]);
    pack_small(b, rsb, csb, k, n, static_cast<int8_t*>(packed),
               [scales](float w, size_t j) { return to_int8(w, scales[j]); });
  }
  static void columns(const GemmArgs& g, size_t first, size_t count) noexcept {
    small_columns<int8_t>(g, first, count);
  }
};

LN_END_TARGET
