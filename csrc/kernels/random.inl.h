// Random numbers as a pure function of (key, counter): Philox4x32-10 of Salmon et al., "Parallel random numbers: as
// easy as 1, 2, 3" (2011). Block b of a stream is Philox of the counter (b, 0) under the key, four words of 32 bits;
// the i-th 32-bit draw of a call is word i % 4 of block counter + i / 4, so a call can be cut at any multiple of four
// draws. Bits, uniform numbers and dropout masks are the same on every instruction set; normal numbers agree to a few
// ULP.
#pragma once

#include "elementwise.inl.h"
#include "math.inl.h"
#include "unroll.inl.h"

LN_BEGIN_TARGET

// Blocks are made and used in chunks of this many, a multiple of every vector's lanes.
constexpr size_t kChunkBlocks = 32;
constexpr size_t kChunkWords = 4 * kChunkBlocks;

// The words of blocks counter .. counter + kChunkBlocks - 1, block after block. A word lives in the low half of a
// 64-bit lane, where the 32 x 32 -> 64 bit product is one instruction; high halves carry leftovers that no product
// reads.
void philox_chunk(uint64_t key, uint64_t counter, uint32_t* words) noexcept {
  using Lanes = Int<double>;
  constexpr size_t lanes = Vec<double>::size;
  const Lanes m0 = Lanes::set1(0xD2511F53), m1 = Lanes::set1(0xCD9E8D57), low = Lanes::set1(0xFFFFFFFF);
  for (size_t block = 0; block < kChunkBlocks; block += lanes) {
    uint64_t at[lanes];
    for (size_t i = 0; i < lanes; ++i) at[i] = counter + block + i;
    Lanes x0, x1, x2 = Lanes::set1(0), x3 = Lanes::set1(0);
    memcpy(&x0.v, at, sizeof at);
    x1 = shift_right<32>(x0);
    uint32_t key0 = static_cast<uint32_t>(key), key1 = static_cast<uint32_t>(key >> 32);
    unroll<10>([&](auto) __attribute__((always_inline)) {
      const Lanes a = multiply_low32(x0, m0), b = multiply_low32(x2, m1);
      x0 = shift_right<32>(b) ^ x1 ^ Lanes::set1(key0);
      x2 = shift_right<32>(a) ^ x3 ^ Lanes::set1(key1);
      x1 = b;
      x3 = a;
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    });
    uint64_t first[lanes], second[lanes];
    const Lanes halves[2] = {(x0 & low) | shift_left<32>(x1), (x2 & low) | shift_left<32>(x3)};
    memcpy(first, &halves[0].v, sizeof first);
    memcpy(second, &halves[1].v, sizeof second);
    for (size_t i = 0; i < lanes; ++i) {
      uint32_t* to = words + 4 * (block + i);
      to[0] = static_cast<uint32_t>(first[i]);
      to[1] = static_cast<uint32_t>(first[i] >> 32);
      to[2] = static_cast<uint32_t>(second[i]);
      to[3] = static_cast<uint32_t>(second[i] >> 32);
    }
  }
}

// Fills y[n] chunk by chunk: convert(words, values) makes the kChunkWords / kWords elements of a chunk.
template <size_t kWords, class T, class F>
LN_INLINE void draw(uint64_t key, uint64_t counter, T* y, size_t n, const F& convert) {
  constexpr size_t size = kChunkWords / kWords;
  uint32_t words[kChunkWords];
  T values[size];
  for (size_t i = 0; i < n; i += size, counter += kChunkBlocks) {
    philox_chunk(key, counter, words);
    if (n - i >= size) {
      convert(words, y + i);
    } else {
      convert(words, values);
      memcpy(y + i, values, (n - i) * sizeof(T));
    }
  }
}

// The 53 leading bits of two words.
LN_INLINE double leading_bits(const uint32_t* words) {
  return static_cast<double>((words[0] | static_cast<uint64_t>(words[1]) << 32) >> 11);
}

// [0, 1) in steps of 2^-24 or 2^-53.
LN_INLINE void units(const uint32_t* words, float* u) {
  for (size_t i = 0; i < kChunkWords; ++i) u[i] = static_cast<float>(static_cast<int32_t>(words[i] >> 8)) * 0x1p-24f;
}
LN_INLINE void units(const uint32_t* words, double* u) {
  for (size_t i = 0; i < kChunkWords / 2; ++i) u[i] = leading_bits(words + 2 * i) * 0x1p-53;
}

template <class T>
constexpr size_t kWordsOf = sizeof(T) / 4;

// lo + u (hi - lo), which rounding could take to hi: the largest number below hi then.
template <class T>
void random_uniform(uint64_t key, uint64_t counter, T* y, size_t n, double lo, double hi) noexcept {
  const T base = static_cast<T>(lo), scale = static_cast<T>(hi - lo), end = static_cast<T>(hi);
  const T last = end > base ? static_cast<T>(sizeof(T) == 4 ? nextafterf(end, base) : nextafter(end, base)) : end;
  draw<kWordsOf<T>>(
      key, counter, y, n, [&](const uint32_t* words, T* values) __attribute__((always_inline)) {
        units(words, values);
        for (size_t i = 0; i < kChunkWords / kWordsOf<T>; ++i) {
          const T x = base + values[i] * scale;
          values[i] = x >= end ? last : x;
        }
      });
}

// u1 in (0, 1] and u2 in [0, 1) from each pair of draws. u1 keeps 31 or 53 bits, so that normal numbers reach 6.6
// or 8.6 standard deviations.
LN_INLINE void unit_pairs(const uint32_t* words, float* u1, float* u2) {
  for (size_t i = 0; i < kChunkWords / 2; ++i) {
    u1[i] = (static_cast<float>(static_cast<int32_t>(words[2 * i] >> 1)) + 0.5f) * 0x1p-31f;
    u2[i] = static_cast<float>(static_cast<int32_t>(words[2 * i + 1] >> 8)) * 0x1p-24f;
  }
}
LN_INLINE void unit_pairs(const uint32_t* words, double* u1, double* u2) {
  for (size_t i = 0; i < kChunkWords / 4; ++i) {
    u1[i] = (leading_bits(words + 4 * i) + 0.5) * 0x1p-53;
    u2[i] = leading_bits(words + 4 * i + 2) * 0x1p-53;
  }
}

// Box and Muller 1958: two independent normal numbers from each pair.
template <class T>
void random_normal(uint64_t key, uint64_t counter, T* y, size_t n, double mean, double std) noexcept {
  constexpr size_t pairs = kChunkWords / kWordsOf<T> / 2;
  const Vec<T> center = Vec<T>::set1(static_cast<T>(mean)), width = Vec<T>::set1(static_cast<T>(std));
  const Vec<T> circle = Vec<T>::set1(static_cast<T>(6.283185307179586476925));
  draw<kWordsOf<T>>(
      key, counter, y, n, [&](const uint32_t* words, T* values) __attribute__((always_inline)) {
        T u1[pairs], u2[pairs];
        unit_pairs(words, u1, u2);
        for (size_t i = 0; i < pairs; i += static_cast<size_t>(Vec<T>::size)) {
          const Vec<T> radius = width * sqrt(Vec<T>::set1(T(-2)) * log(Vec<T>::load(u1 + i)));
          const Vec<T> angle = circle * Vec<T>::load(u2 + i);
          fma(radius, cos(angle), center).store(u1 + i);
          fma(radius, sin(angle), center).store(u2 + i);
        }
        for (size_t i = 0; i < pairs; ++i) {
          values[2 * i] = u1[i];
          values[2 * i + 1] = u2[i];
        }
      });
}

// Points of (-1, 1), symmetric about 0.
LN_INLINE void symmetric_units(const uint32_t* words, float* t) {
  for (size_t i = 0; i < kChunkWords; ++i)
    t[i] = (static_cast<float>(static_cast<int32_t>(words[i])) + 0.5f) * 0x1p-31f;
}
LN_INLINE void symmetric_units(const uint32_t* words, double* t) {
  for (size_t i = 0; i < kChunkWords / 2; ++i) t[i] = (leading_bits(words + 2 * i) - (0x1p52 - 0.5)) * 0x1p-52;
}

// The normal quantile between its 2-sigma points: z = q P(w), w = -log(1 - 4 q^2), q = probability - 1/2. The form
// follows Giles, "Approximating the erfinv function" (2011); the coefficients are a Chebyshev fit on 0 <= w <= 2.42,
// that is |z| <= 2, with a relative error of 5e-9 (float) and 3e-16 (double).
template <class T>
struct NormalQuantile;
template <>
struct NormalQuantile<float> {
  static constexpr float p[] = {-0x1.0c0216p-20f, -0x1.306ef2p-18f, 0x1.455d34p-13f, -0x1.98c79ap-12f,
                                -0x1.afb31ep-8f,  0x1.0b8f5ap-5f,   0x1.4ffdf4p-1f,  0x1.40d932p+1f};
};
template <>
struct NormalQuantile<double> {
  static constexpr double p[] = {-0x1.2b12f8210abeep-39, 0x1.53e12c83ac60ep-36,  0x1.19544cc519870p-33,
                                 -0x1.3100e15019979p-29, 0x1.146f74fab1a52p-28,  0x1.06de11e14c8b7p-24,
                                 -0x1.b417a56033749p-24, -0x1.80d7fca8f4c41p-19, 0x1.7f8de1c4d0419p-18,
                                 0x1.147b0b948ec69p-13,  -0x1.7bc0d44fb7395p-12, -0x1.b0d7e38f00dd7p-8,
                                 0x1.0b9a8ec619320p-5,   0x1.4ffddeaa22a90p-1,   0x1.40d931ff62707p+1};
};

// The normal distribution between mean - 2 std and mean + 2 std, one draw an element: no rejection, so that the i-th
// element is known without those before it.
template <class T>
void random_truncated_normal(uint64_t key, uint64_t counter, T* y, size_t n, double mean, double std) noexcept {
  constexpr size_t count = kChunkWords / kWordsOf<T>;
  const Vec<T> center = Vec<T>::set1(static_cast<T>(mean)), width = Vec<T>::set1(static_cast<T>(std));
  const Vec<T> reach = Vec<T>::set1(static_cast<T>(0.4772498680518208));  // probability of (0, 2 sigma)
  draw<kWordsOf<T>>(
      key, counter, y, n, [&](const uint32_t* words, T* values) __attribute__((always_inline)) {
        symmetric_units(words, values);
        for (size_t i = 0; i < count; i += static_cast<size_t>(Vec<T>::size)) {
          const Vec<T> q = reach * Vec<T>::load(values + i);
          const Vec<T> w = -log1p(Vec<T>::set1(T(-4)) * (q * q));
          Vec<T> z = Vec<T>::set1(NormalQuantile<T>::p[0]);
          constexpr int degree = static_cast<int>(sizeof NormalQuantile<T>::p / sizeof(T)) - 1;
          unroll<degree>(LN_EACH(j) { z = fma(z, w, Vec<T>::set1(NormalQuantile<T>::p[j + 1])); });
          z = max(Vec<T>::set1(T(-2)), min(Vec<T>::set1(T(2)), q * z));
          fma(width, z, center).store(values + i);
        }
      });
}

// 0 with probability rate, else 1 / (1 - rate). Both element types use one word an element: the same mask.
template <class T>
void dropout_mask(uint64_t key, uint64_t counter, T* y, size_t n, double rate) noexcept {
  const double words_dropped = rate * 0x1p32 + 0.5;  // words below this are dropped
  const bool all = words_dropped >= 0x1p32;
  const uint32_t dropped = all || !(words_dropped > 0) ? 0 : static_cast<uint32_t>(words_dropped);
  const T kept = all ? T(0) : static_cast<T>(1 / (1 - rate));
  draw<1>(
      key, counter, y, n, [&](const uint32_t* words, T* values) __attribute__((always_inline)) {
        for (size_t i = 0; i < kChunkWords; ++i) values[i] = words[i] >= dropped ? kept : T(0);
      });
}

void random_bits_u32(uint64_t key, uint64_t counter, uint32_t* y, size_t n) noexcept {
  draw<1>(
      key, counter, y, n, [](const uint32_t* words, uint32_t* values) __attribute__((always_inline)) {
        memcpy(values, words, kChunkWords * sizeof(uint32_t));
      });
}

#define LN_RANDOM_KERNELS(suffix, T)                                                                              \
  void random_uniform_##suffix(uint64_t key, uint64_t counter, T* y, size_t n, double lo, double hi) noexcept {   \
    random_uniform(key, counter, y, n, lo, hi);                                                                   \
  }                                                                                                               \
  void random_normal_##suffix(uint64_t key, uint64_t counter, T* y, size_t n, double mean, double std) noexcept { \
    random_normal(key, counter, y, n, mean, std);                                                                 \
  }                                                                                                               \
  void random_truncated_normal_##suffix(uint64_t key, uint64_t counter, T* y, size_t n, double mean,              \
                                        double std) noexcept {                                                    \
    random_truncated_normal(key, counter, y, n, mean, std);                                                       \
  }                                                                                                               \
  void dropout_mask_##suffix(uint64_t key, uint64_t counter, T* y, size_t n, double rate) noexcept {              \
    dropout_mask(key, counter, y, n, rate);                                                                       \
  }
LN_RANDOM_KERNELS(f32, float)
LN_RANDOM_KERNELS(f64, double)
#undef LN_RANDOM_KERNELS

LN_END_TARGET
