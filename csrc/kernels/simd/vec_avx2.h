// Vec for x86-64 with AVX2, FMA and F16C: 8 floats or 4 doubles.
#pragma once

#include <immintrin.h>

#include "target.h"

LN_BEGIN_TARGET

template <class T>
struct LanesOf;
template <>
struct LanesOf<float> {
  typedef __m256 vector;
  typedef int32_t ints __attribute__((vector_size(32)));
  typedef uint32_t uints __attribute__((vector_size(32)));
  typedef int32_t int_type;
  typedef uint32_t uint_type;
};
template <>
struct LanesOf<double> {
  typedef __m256d vector;
  typedef int64_t ints __attribute__((vector_size(32)));
  typedef uint64_t uints __attribute__((vector_size(32)));
  typedef int64_t int_type;
  typedef uint64_t uint_type;
};

constexpr bool kHasFma = true;

template <class T>
struct Vec;
template <class T>
struct Int {
  typename LanesOf<T>::ints v;
  static LN_INLINE Int set1(typename LanesOf<T>::int_type x) {
    return {
        (typename LanesOf<T>::ints)(sizeof(T) == 4 ? _mm256_set1_epi32(static_cast<int>(x)) : _mm256_set1_epi64x(x))};
  }
};

// All bits of a lane are set where true.
template <class T>
struct Mask {
  typename LanesOf<T>::vector v;
};

// Mask of the first n lanes, for partial loads and stores.
LN_INLINE __m256i first_lanes_32(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
LN_INLINE __m256i first_lanes_64(int n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

template <>
struct Vec<float> {
  static constexpr int size = 8;
  __m256 v;
  static LN_INLINE Vec set1(float x) { return {_mm256_set1_ps(x)}; }
  static LN_INLINE Vec zero() { return {_mm256_setzero_ps()}; }
  static LN_INLINE Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static LN_INLINE Vec load_partial(const float* p, int n) { return {_mm256_maskload_ps(p, first_lanes_32(n))}; }
  LN_INLINE void store(float* p) const { _mm256_storeu_ps(p, v); }
  LN_INLINE void store_partial(float* p, int n) const { _mm256_maskstore_ps(p, first_lanes_32(n), v); }
};
template <>
struct Vec<double> {
  static constexpr int size = 4;
  __m256d v;
  static LN_INLINE Vec set1(double x) { return {_mm256_set1_pd(x)}; }
  static LN_INLINE Vec zero() { return {_mm256_setzero_pd()}; }
  static LN_INLINE Vec load(const double* p) { return {_mm256_loadu_pd(p)}; }
  static LN_INLINE Vec load_partial(const double* p, int n) { return {_mm256_maskload_pd(p, first_lanes_64(n))}; }
  LN_INLINE void store(double* p) const { _mm256_storeu_pd(p, v); }
  LN_INLINE void store_partial(double* p, int n) const { _mm256_maskstore_pd(p, first_lanes_64(n), v); }
};

// The same definitions for float and double; only the intrinsic's suffix differs.
#define LN_DEFINE_OPS(T, suffix)                                                                              \
  LN_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {                                                        \
    return {_mm256_fmadd_##suffix(a.v, b.v, c.v)};                                                            \
  }                                                                                                           \
  LN_INLINE Vec<T> fnma(Vec<T> a, Vec<T> b, Vec<T> c) {                                                       \
    return {_mm256_fnmadd_##suffix(a.v, b.v, c.v)};                                                           \
  }                                                                                                           \
  LN_INLINE Vec<T> fms(Vec<T> a, Vec<T> b, Vec<T> c) {                                                        \
    return {_mm256_fmsub_##suffix(a.v, b.v, c.v)};                                                            \
  }                                                                                                           \
  LN_INLINE Vec<T> max(Vec<T> a, Vec<T> b) {                                                                  \
    return {_mm256_max_##suffix(a.v, b.v)};                                                                   \
  }                                                                                                           \
  LN_INLINE Vec<T> min(Vec<T> a, Vec<T> b) {                                                                  \
    return {_mm256_min_##suffix(a.v, b.v)};                                                                   \
  }                                                                                                           \
  LN_INLINE Vec<T> sqrt(Vec<T> a) {                                                                           \
    return {_mm256_sqrt_##suffix(a.v)};                                                                       \
  }                                                                                                           \
  LN_INLINE Vec<T> round(Vec<T> a) {                                                                          \
    return {_mm256_round_##suffix(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};                       \
  }                                                                                                           \
  LN_INLINE Vec<T> floor(Vec<T> a) {                                                                          \
    return {_mm256_floor_##suffix(a.v)};                                                                      \
  }                                                                                                           \
  LN_INLINE Vec<T> ceil(Vec<T> a) {                                                                           \
    return {_mm256_ceil_##suffix(a.v)};                                                                       \
  }                                                                                                           \
  LN_INLINE Mask<T> operator==(Vec<T> a, Vec<T> b) {                                                          \
    return {_mm256_cmp_##suffix(a.v, b.v, _CMP_EQ_OQ)};                                                       \
  }                                                                                                           \
  LN_INLINE Mask<T> operator!=(Vec<T> a, Vec<T> b) {                                                          \
    return {_mm256_cmp_##suffix(a.v, b.v, _CMP_NEQ_UQ)};                                                      \
  }                                                                                                           \
  LN_INLINE Mask<T> operator<(Vec<T> a, Vec<T> b) {                                                           \
    return {_mm256_cmp_##suffix(a.v, b.v, _CMP_LT_OQ)};                                                       \
  }                                                                                                           \
  LN_INLINE Mask<T> operator<=(Vec<T> a, Vec<T> b) {                                                          \
    return {_mm256_cmp_##suffix(a.v, b.v, _CMP_LE_OQ)};                                                       \
  }                                                                                                           \
  LN_INLINE Mask<T> operator==(Int<T> a, Int<T> b) {                                                          \
    return {(LanesOf<T>::vector)(a.v == b.v)};                                                                \
  }                                                                                                           \
  LN_INLINE Mask<T> operator>(Int<T> a, Int<T> b) {                                                           \
    return {(LanesOf<T>::vector)(a.v > b.v)};                                                                 \
  }                                                                                                           \
  LN_INLINE Mask<T> operator&(Mask<T> a, Mask<T> b) {                                                         \
    return {_mm256_and_##suffix(a.v, b.v)};                                                                   \
  }                                                                                                           \
  LN_INLINE Mask<T> operator|(Mask<T> a, Mask<T> b) {                                                         \
    return {_mm256_or_##suffix(a.v, b.v)};                                                                    \
  }                                                                                                           \
  LN_INLINE Mask<T> operator^(Mask<T> a, Mask<T> b) {                                                         \
    return {_mm256_xor_##suffix(a.v, b.v)};                                                                   \
  }                                                                                                           \
  LN_INLINE Mask<T> operator~(Mask<T> a) {                                                                    \
    return {(LanesOf<T>::vector)(~(LanesOf<T>::ints)a.v)};                                                    \
  }                                                                                                           \
  LN_INLINE bool any(Mask<T> m) {                                                                             \
    return _mm256_movemask_##suffix(m.v) != 0;                                                                \
  }                                                                                                           \
  LN_INLINE bool all(Mask<T> m) {                                                                             \
    return _mm256_movemask_##suffix(m.v) == (1 << Vec<T>::size) - 1;                                          \
  }                                                                                                           \
  LN_INLINE Vec<T> select(Mask<T> m, Vec<T> a, Vec<T> b) {                                                    \
    return {_mm256_blendv_##suffix(b.v, a.v, m.v)};                                                           \
  }                                                                                                           \
  LN_INLINE Int<T> select(Mask<T> m, Int<T> a, Int<T> b) {                                                    \
    return {(LanesOf<T>::ints)_mm256_blendv_##suffix((LanesOf<T>::vector)b.v, (LanesOf<T>::vector)a.v, m.v)}; \
  }
LN_DEFINE_OPS(float, ps)
LN_DEFINE_OPS(double, pd)
#undef LN_DEFINE_OPS

LN_INLINE Int<float> to_int(Vec<float> a) {
  return {(LanesOf<float>::ints)_mm256_cvtps_epi32(a.v)};
}
LN_INLINE Vec<float> to_float(Int<float> a) {
  return {_mm256_cvtepi32_ps((__m256i)a.v)};
}

// Products of the low 32 bits of each lane, unsigned.
LN_INLINE Int<double> multiply_low32(Int<double> a, Int<double> b) {
  return {(LanesOf<double>::ints)_mm256_mul_epu32((__m256i)a.v, (__m256i)b.v)};
}

LN_INLINE float reduce_add(Vec<float> a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
LN_INLINE Four<float> reduce_add(Vec<float> a, Vec<float> b, Vec<float> c, Vec<float> d) {
  const __m256 ab = _mm256_add_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v));
  const __m256 cd = _mm256_add_ps(_mm256_unpacklo_ps(c.v, d.v), _mm256_unpackhi_ps(c.v, d.v));
  const __m256 s = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
  return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}
LN_INLINE double reduce_add(Vec<double> a) {
  const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(a.v), _mm256_extractf128_pd(a.v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

// The largest lane, if none is NaN.
LN_INLINE float reduce_max_number(Vec<float> a) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
}
LN_INLINE double reduce_max_number(Vec<double> a) {
  const __m128d m = _mm_max_pd(_mm256_castpd256_pd128(a.v), _mm256_extractf128_pd(a.v, 1));
  return _mm_cvtsd_f64(_mm_max_sd(m, _mm_unpackhi_pd(m, m)));
}

LN_INLINE void widen(Vec<float> a, Vec<double>& low, Vec<double>& high) {
  low.v = _mm256_cvtps_pd(_mm256_castps256_ps128(a.v));
  high.v = _mm256_cvtps_pd(_mm256_extractf128_ps(a.v, 1));
}
LN_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return {_mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(low.v)), _mm256_cvtpd_ps(high.v), 1)};
}

LN_INLINE Vec<float> load_f16(const uint16_t* p) {
  return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
LN_INLINE void store_f16(Vec<float> a, uint16_t* p) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
LN_INLINE Vec<float> load_bf16(const uint16_t* p) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16))};
}
// Two vectors of packed weights: bfloat16 with the second in the upper halves of 32 bits, int8 one after the
// other.
LN_INLINE void load_pair(const uint16_t* p, Vec<float>& first, Vec<float>& second) {
  const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  first.v = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
  second.v = _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(static_cast<int>(0xffff0000U))));
}
LN_INLINE void load_pair(const int8_t* p, Vec<float>& first, Vec<float>& second) {
  const auto load = [](const int8_t* from) __attribute__((always_inline)) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
  };
  first.v = load(p);
  second.v = load(p + 8);
}

LN_END_TARGET
