// The tile registers of AMX: 8 of up to 16 rows of 64 bytes. A process asks for them once (dispatch.cpp); a thread
// configures them before a product and gives them back after it, so that nothing of them is saved when it is switched.
#pragma once

#include "simd/vec.h"
#include "transpose.inl.h"
#include "unroll.inl.h"

LN_BEGIN_TARGET

constexpr size_t kTileRows = 16, kTileColumns = 16;             // of 4 bytes
constexpr size_t kTileK = 32, kTileItems = kTileRows * kTileK;  // of bfloat16
LN_INLINE size_t tile_steps(size_t k) {
  return (k + kTileK - 1) / kTileK;
}

struct TileConfig {
  alignas(64) uint8_t palette = 1;
  uint8_t start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  LN_INLINE void set(int tile, size_t tile_rows, size_t bytes) {
    rows[tile] = static_cast<uint8_t>(tile_rows);
    row_bytes[tile] = static_cast<uint16_t>(bytes);
  }
  LN_INLINE void load() const { __asm__ volatile("ldtilecfg %0" : : "m"(*this)); }
};

// Tile instructions stay in their order, but compilers do not see that they read and write memory.
LN_INLINE void tile_memory() {
  __asm__ volatile("" : : : "memory");
}

LN_INLINE bool inf_or_nan(Vec<float> x) {
  return _mm512_fpclass_ps_mask(x.v, 0x99) != 0;
}
// C = relu(sum + bias + C), or without one of them, for the first `count` columns of a vector.
LN_INLINE void finish_vector(Vec<float> sum, const float* bias, bool add_c, bool relu, float* c, int count) {
  if (bias != nullptr) sum = sum + Vec<float>::load_partial(bias, count);
  if (add_c) sum = sum + Vec<float>::load_partial(c, count);
  if (relu) sum = max(Vec<float>::zero(), sum);
  sum.store_partial(c, count);
}

// --- float32 as the sum of three bfloat16 numbers, x = high + middle + low: high is x cut to 8 bits, middle what is
// left cut to 8 bits, low the rest, which has no more than 8.

// Pairs of parts, the first of a pair in the low half.
struct Parts {
  __m512i high, middle, low;
};
LN_INLINE Parts split_pairs(__m512i first, __m512i second) {
  const __m512i top = _mm512_set1_epi32(static_cast<int>(0xffff0000));
  const auto minus = [](__m512i x, __m512i y) __attribute__((always_inline)) {
    return _mm512_castps_si512(_mm512_sub_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(y)));
  };
  const auto pair = [](__m512i x, __m512i y) __attribute__((always_inline)) {
    return _mm512_or_si512(_mm512_srli_epi32(x, 16), y);
  };
  const __m512i h1 = _mm512_and_si512(first, top);
  const __m512i h2 = _mm512_and_si512(second, top);
  const __m512i r1 = minus(first, h1), r2 = minus(second, h2);
  const __m512i m1 = _mm512_and_si512(r1, top), m2 = _mm512_and_si512(r2, top);
  return {pair(h1, h2), pair(m1, m2), pair(minus(r1, m1), minus(r2, m2))};
}
LN_INLINE void store_parts(const Parts& parts, uint16_t* to, size_t apart) {
  _mm512_store_si512(to, parts.high);
  _mm512_store_si512(to + apart, parts.middle);
  _mm512_store_si512(to + 2 * apart, parts.low);
}

// A [rows, k] in parts: for each 16 rows, for each 32 of the k three tiles, filled up with zeros.
inline void split_rows(const float* a, size_t rsa, size_t csa, size_t rows, size_t k, size_t tile_rows,
                       uint16_t* to) noexcept {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  alignas(64) float gathered[kTileRows * kTileK];
  for (size_t i = 0; i < rows; i += kTileRows) {
    const size_t height = rows - i < kTileRows ? rows - i : kTileRows;
    for (size_t p = 0; p < k; p += kTileK, to += 3 * tile_rows * kTileK) {
      const size_t width = k - p < kTileK ? k - p : kTileK;
      const float* x = a + i * rsa + p * csa;
      size_t stride = rsa;
      if (csa != 1) {
        if (rsa == 1) {
          transpose(x, static_cast<int64_t>(csa), gathered, int64_t{kTileK}, static_cast<int64_t>(width),
                    static_cast<int64_t>(height));
        } else {
          for (size_t r = 0; r < height; ++r)
            for (size_t q = 0; q < width; ++q) gathered[r * kTileK + q] = x[r * rsa + q * csa];
        }
        x = gathered, stride = kTileK;
      }
      for (size_t r = 0; r < tile_rows; ++r, x += stride) {
        Vec<float> first = Vec<float>::zero(), second = Vec<float>::zero();
        if (r < height) {
          first = width >= 16 ? Vec<float>::load(x) : Vec<float>::load_partial(x, static_cast<int>(width));
          if (width > 16) second = Vec<float>::load_partial(x + 16, static_cast<int>(width - 16));
        }
        const __m512i f = _mm512_castps_si512(first.v), s = _mm512_castps_si512(second.v);
        store_parts(split_pairs(_mm512_permutex2var_epi32(f, even, s), _mm512_permutex2var_epi32(f, odd, s)),
                    to + r * kTileK, tile_rows * kTileK);
      }
    }
  }
}

LN_END_TARGET
