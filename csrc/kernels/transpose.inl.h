// Transposed copies of blocks with a contiguous axis on both sides.
#pragma once

#include "simd/target.h"

LN_BEGIN_TARGET

// y[c, r] = x[r, c] for a tile of 64 x 64 bytes, through a buffer: so that both arrays are touched in whole cache
// lines, whatever their strides (with a stride of 4096 bytes all lines of a tile fall into one set of the L1 cache: a
// transpose of 1024 x 1024 floats took 0.9 ms when it wrote line by line in four parts). Four rows of four items are
// exchanged in registers where an item has 4 bytes, two of two where it has 8.
template <class T>
LN_INLINE void transpose_tile(const T* x, int64_t ldx, T* y, int64_t ldy) {
  constexpr int64_t tile = 64 / sizeof(T);
  T buffer[tile * tile];
  if constexpr (sizeof(T) == 4) {
    typedef int32_t four __attribute__((vector_size(16)));
    for (int64_t r = 0; r < tile; r += 4)
      for (int64_t c = 0; c < tile; c += 4) {
        four a[4], b[4];
        for (int k = 0; k < 4; ++k) memcpy(&a[k], x + (r + k) * ldx + c, 16);
        b[0] = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5);
        b[1] = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
        b[2] = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5);
        b[3] = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
        a[0] = __builtin_shufflevector(b[0], b[2], 0, 1, 4, 5);
        a[1] = __builtin_shufflevector(b[0], b[2], 2, 3, 6, 7);
        a[2] = __builtin_shufflevector(b[1], b[3], 0, 1, 4, 5);
        a[3] = __builtin_shufflevector(b[1], b[3], 2, 3, 6, 7);
        for (int k = 0; k < 4; ++k) memcpy(buffer + (c + k) * tile + r, &a[k], 16);
      }
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
