// Transposed copies of blocks with a contiguous axis on both sides.
#pragma once

#include "simd/target.h"

LN_BEGIN_TARGET

#ifdef __AVX512F__
// y[c, r] = x[r, c] for 16 x 16 items of 4 bytes, one line of the cache a register: 64 exchanges, first of items within
// quarters of the registers, then of quarters. 20 ns on Zen 4, against 32 ns through the buffer below.
template <class T>
LN_INLINE void transpose_16(const T* x, int64_t ldx, T* y, int64_t ldy) {
  typedef int32_t line __attribute__((vector_size(64)));
  line a[16], b[16];
  for (int k = 0; k < 16; ++k) memcpy(&a[k], x + k * ldx, 64);
#define LN_IN_QUARTERS(p, q, i0, i1, i2, i3)                                                                    \
  __builtin_shufflevector(p, q, i0, i1, i2, i3, i0 + 4, i1 + 4, i2 + 4, i3 + 4, i0 + 8, i1 + 8, i2 + 8, i3 + 8, \
                          i0 + 12, i1 + 12, i2 + 12, i3 + 12)
#define LN_OF_QUARTERS(p, q, i, j)                                                                              \
  __builtin_shufflevector(p, q, 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3, 4 * j, 4 * j + 1, 4 * j + 2, 4 * j + 3, \
                          4 * i + 16, 4 * i + 17, 4 * i + 18, 4 * i + 19, 4 * j + 16, 4 * j + 17, 4 * j + 18,   \
                          4 * j + 19)
  for (int k = 0; k < 16; k += 4) {
    const line low = LN_IN_QUARTERS(a[k], a[k + 1], 0, 16, 1, 17), high = LN_IN_QUARTERS(a[k], a[k + 1], 2, 18, 3, 19);
    const line low2 = LN_IN_QUARTERS(a[k + 2], a[k + 3], 0, 16, 1, 17);
    const line high2 = LN_IN_QUARTERS(a[k + 2], a[k + 3], 2, 18, 3, 19);
    // Quarter j of b[k + c]: column 4 j + c of rows k to k + 3.
    b[k] = LN_IN_QUARTERS(low, low2, 0, 1, 16, 17);
    b[k + 1] = LN_IN_QUARTERS(low, low2, 2, 3, 18, 19);
    b[k + 2] = LN_IN_QUARTERS(high, high2, 0, 1, 16, 17);
    b[k + 3] = LN_IN_QUARTERS(high, high2, 2, 3, 18, 19);
  }
  for (int c = 0; c < 4; ++c) {
    const line even = LN_OF_QUARTERS(b[c], b[c + 4], 0, 2), even2 = LN_OF_QUARTERS(b[c + 8], b[c + 12], 0, 2);
    const line odd = LN_OF_QUARTERS(b[c], b[c + 4], 1, 3), odd2 = LN_OF_QUARTERS(b[c + 8], b[c + 12], 1, 3);
    const line columns[4] = {LN_OF_QUARTERS(even, even2, 0, 2), LN_OF_QUARTERS(odd, odd2, 0, 2),
                             LN_OF_QUARTERS(even, even2, 1, 3), LN_OF_QUARTERS(odd, odd2, 1, 3)};
    for (int j = 0; j < 4; ++j) memcpy(y + (4 * j + c) * ldy, &columns[j], 64);
  }
#undef LN_IN_QUARTERS
#undef LN_OF_QUARTERS
}
#endif

// The same for 4 x 4 items of 4 bytes.
template <class T>
LN_INLINE void transpose_4(const T* x, int64_t ldx, T* y, int64_t ldy) {
  typedef int32_t four __attribute__((vector_size(16)));
  four a[4], b[4];
  for (int k = 0; k < 4; ++k) memcpy(&a[k], x + k * ldx, 16);
  b[0] = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5);
  b[1] = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
  b[2] = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5);
  b[3] = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
  a[0] = __builtin_shufflevector(b[0], b[2], 0, 1, 4, 5);
  a[1] = __builtin_shufflevector(b[0], b[2], 2, 3, 6, 7);
  a[2] = __builtin_shufflevector(b[1], b[3], 0, 1, 4, 5);
  a[3] = __builtin_shufflevector(b[1], b[3], 2, 3, 6, 7);
  for (int k = 0; k < 4; ++k) memcpy(y + k * ldy, &a[k], 16);
}

// y[c, r] = x[r, c] for a tile of 64 x 64 bytes, through a buffer: so that both arrays are touched in whole cache
// lines, whatever their strides (with a stride of 4096 bytes all lines of a tile fall into one set of the L1 cache: a
// transpose of 1024 x 1024 floats took 0.9 ms when it wrote line by line in four parts). Four rows of four items are
// exchanged in registers where an item has 4 bytes, two of two where it has 8; with AVX-512 a whole tile of 4-byte
// items is.
template <class T>
LN_INLINE void transpose_tile(const T* x, int64_t ldx, T* y, int64_t ldy) {
  constexpr int64_t tile = 64 / sizeof(T);
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) return transpose_16(x, ldx, y, ldy);
#endif
  T buffer[tile * tile];
  if constexpr (sizeof(T) == 4) {
    for (int64_t r = 0; r < tile; r += 4)
      for (int64_t c = 0; c < tile; c += 4) transpose_4(x + r * ldx + c, ldx, buffer + c * tile + r, tile);
  } else if constexpr (sizeof(T) == 8) {
    typedef int64_t two __attribute__((vector_size(16)));
    for (int64_t r = 0; r < tile; r += 2)
      for (int64_t c = 0; c < tile; c += 2) {
        two a, b;
        memcpy(&a, x + r * ldx + c, 16);
        memcpy(&b, x + (r + 1) * ldx + c, 16);
        const two low = __builtin_shufflevector(a, b, 0, 2), high = __builtin_shufflevector(a, b, 1, 3);
        memcpy(buffer + c * tile + r, &low, 16);
        memcpy(buffer + (c + 1) * tile + r, &high, 16);
      }
  } else {
    for (int64_t r = 0; r < tile; ++r)
      for (int64_t c = 0; c < tile; ++c) buffer[c * tile + r] = x[r * ldx + c];
  }
  for (int64_t c = 0; c < tile; ++c) memcpy(y + c * ldy, buffer + c * tile, 64);
}
// y[c * ldy + r] = x[r * ldx + c].
template <class T>
inline void transpose(const T* x, int64_t ldx, T* y, int64_t ldy, int64_t rows, int64_t columns) {
  constexpr int64_t tile = 64 / sizeof(T);
  if constexpr (sizeof(T) == 4) {
    // Few columns, as of the last layer of a network, or few rows: [64, 4] takes 40 ns instead of 95.
    if (columns == 4)
      for (; rows >= 4; rows -= 4, x += 4 * ldx, y += 4) transpose_4(x, ldx, y, ldy);
    else if (rows == 4)
      for (; columns >= 4; columns -= 4, x += 4, y += 4 * ldy) transpose_4(x, ldx, y, ldy);
  }
  for (int64_t r = 0; r < rows; r += tile)
    for (int64_t c = 0; c < columns; c += tile) {
      const int64_t height = rows - r < tile ? rows - r : tile, width = columns - c < tile ? columns - c : tile;
      if (height == tile && width == tile) {
        transpose_tile(x + r * ldx + c, ldx, y + c * ldy + r, ldy);
      } else {
        for (int64_t j = c; j < c + width; ++j)
          for (int64_t i = r; i < r + height; ++i) y[j * ldy + i] = x[i * ldx + j];
      }
    }
}

LN_END_TARGET
