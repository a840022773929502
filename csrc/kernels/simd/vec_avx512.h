// Vec for x86-64 with AVX-512 F, BW, VL and DQ: 16 floats or 8 doubles, masks in mask registers.
#pragma once

// GCC 12 reports the deliberately undefined registers inside its own header.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include "target.h"

LN_BEGIN_TARGET

template <class T>
struct LanesOf;
template <>
struct LanesOf<float> {
  typedef __m512 vector;
  typedef int32_t ints __attribute__((vector_size(64)));
  typedef uint32_t uints __attribute__((vector_size(64)));
  typedef int32_t int_type;
  typedef uint32_t uint_type;
  typedef __mmask16 mask;
};
template <>
struct LanesOf<double> {
  typedef __m512d vector;
  typedef int64_t ints __attribute__((vector_size(64)));
  typedef uint64_t uints __attribute__((vector_size(64)));
  typedef int64_t int_type;
  typedef uint64_t uint_type;
  typedef __mmask8 mask;
};

constexpr bool kHasFma = true;
#define LN_HAS_LDEXP 1

template <class T>
struct Vec;
template <class T>
struct Int {
  typename LanesOf<T>::ints v;
  static LN_INLINE Int set1(typename LanesOf<T>::int_type x) {
    return {
        (typename LanesOf<T>::ints)(sizeof(T) == 4 ? _mm512_set1_epi32(static_cast<int>(x)) : _mm512_set1_epi64(x))};
  }
};

// One bit per lane.
template <class T>
struct Mask {
  typename LanesOf<T>::mask v;
};

template <>
struct Vec<float> {
  static constexpr int size = 16;
  __m512 v;
  static LN_INLINE __mmask16 first(int n) {
    return static_cast<__mmask16>(_bzhi_u32(0xffffu, static_cast<unsigned>(n)));
  }
  static LN_INLINE Vec set1(float x) { return {_mm512_set1_ps(x)}; }
  static LN_INLINE Vec zero() { return {_mm512_setzero_ps()}; }
  static LN_INLINE Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static LN_INLINE Vec load_partial(const float* p, int n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
  LN_INLINE void store(float* p) const { _mm512_storeu_ps(p, v); }
  LN_INLINE void store_partial(float* p, int n) const { _mm512_mask_storeu_ps(p, first(n), v); }
};
template <>
struct Vec<double> {
  static constexpr int size = 8;
  __m512d v;
  static LN_INLINE __mmask8 first(int n) { return static_cast<__mmask8>(_bzhi_u32(0xffu, static_cast<unsigned>(n))); }
  static LN_INLINE Vec set1(double x) { return {_mm512_set1_pd(x)}; }
  static LN_INLINE Vec zero() { return {_mm512_setzero_pd()}; }
  static LN_INLINE Vec load(const double* p) { return {_mm512_loadu_pd(p)}; }
  static LN_INLINE Vec load_partial(const double* p, int n) { return {_mm512_maskz_loadu_pd(first(n), p)}; }
  LN_INLINE void store(double* p) const { _mm512_storeu_pd(p, v); }
  LN_INLINE void store_partial(double* p, int n) const { _mm512_mask_storeu_pd(p, first(n), v); }
};

// The same definitions for float and double; only the intrinsics' suffixes differ.
#define LN_DEFINE_OPS(T, suffix, isuffix)                                                    \
  LN_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {                                       \
    return {_mm512_fmadd_##suffix(a.v, b.v, c.v)};                                           \
  }                                                                                          \
  LN_INLINE Vec<T> fnma(Vec<T> a, Vec<T> b, Vec<T> c) {                                      \
    return {_mm512_fnmadd_##suffix(a.v, b.v, c.v)};                                          \
  }                                                                                          \
  LN_INLINE Vec<T> fms(Vec<T> a, Vec<T> b, Vec<T> c) {                                       \
    return {_mm512_fmsub_##suffix(a.v, b.v, c.v)};                                           \
  }                                                                                          \
  LN_INLINE Vec<T> max(Vec<T> a, Vec<T> b) {                                                 \
    return {_mm512_max_##suffix(a.v, b.v)};                                                  \
  }                                                                                          \
  LN_INLINE Vec<T> min(Vec<T> a, Vec<T> b) {                                                 \
    return {_mm512_min_##suffix(a.v, b.v)};                                                  \
  }                                                                                          \
  LN_INLINE Vec<T> sqrt(Vec<T> a) {                                                          \
    return {_mm512_sqrt_##suffix(a.v)};                                                      \
  }                                                                                          \
  LN_INLINE Vec<T> round(Vec<T> a) {                                                         \
    return {_mm512_roundscale_##suffix(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; \
  }                                                                                          \
  LN_INLINE Vec<T> floor(Vec<T> a) {                                                         \
    return {_mm512_roundscale_##suffix(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};     \
  }                                                                                          \
  LN_INLINE Vec<T> ceil(Vec<T> a) {                                                          \
    return {_mm512_roundscale_##suffix(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)};     \
  }                                                                                          \
  LN_INLINE Vec<T> ldexp(Vec<T> a, Vec<T> n) {                                               \
    return {_mm512_scalef_##suffix(a.v, n.v)};                                               \
  }                                                                                          \
  LN_INLINE Mask<T> operator==(Vec<T> a, Vec<T> b) {                                         \
    return {_mm512_cmp_##suffix##_mask(a.v, b.v, _CMP_EQ_OQ)};                               \
  }                                                                                          \
  LN_INLINE Mask<T> operator!=(Vec<T> a, Vec<T> b) {                                         \
    return {_mm512_cmp_##suffix##_mask(a.v, b.v, _CMP_NEQ_UQ)};                              \
  }                                                                                          \
  LN_INLINE Mask<T> operator<(Vec<T> a, Vec<T> b) {                                          \
    return {_mm512_cmp_##suffix##_mask(a.v, b.v, _CMP_LT_OQ)};                               \
  }                                                                                          \
  LN_INLINE Mask<T> operator<=(Vec<T> a, Vec<T> b) {                                         \
    return {_mm512_cmp_##suffix##_mask(a.v, b.v, _CMP_LE_OQ)};                               \
  }                                                                                          \
  LN_INLINE Mask<T> operator==(Int<T> a, Int<T> b) {                                         \
    return {_mm512_cmpeq_##isuffix##_mask((__m512i)a.v, (__m512i)b.v)};                      \
  }                                                                                          \
  LN_INLINE Mask<T> operator>(Int<T> a, Int<T> b) {                                          \
    return {_mm512_cmpgt_##isuffix##_mask((__m512i)a.v, (__m512i)b.v)};                      \
  }                                                                                          \
  LN_INLINE Mask<T> operator&(Mask<T> a, Mask<T> b) {                                        \
    return {static_cast<LanesOf<T>::mask>(a.v & b.v)};                                       \
  }                                                                                          \
  LN_INLINE Mask<T> operator|(Mask<T> a, Mask<T> b) {                                        \
    return {static_cast<LanesOf<T>::mask>(a.v | b.v)};                                       \
  }                                                                                          \
  LN_INLINE Mask<T> operator^(Mask<T> a, Mask<T> b) {                                        \
    return {static_cast<LanesOf<T>::mask>(a.v ^ b.v)};                                       \
  }                                                                                          \
  LN_INLINE Mask<T> operator~(Mask<T> a) {                                                   \
    return {static_cast<LanesOf<T>::mask>(~a.v)};                                            \
  }                                                                                          \
  LN_INLINE bool any(Mask<T> m) {                                                            \
    return m.v != 0;                                                                         \
  }                                                                                          \
  LN_INLINE bool all(Mask<T> m) {                                                            \
    return m.v == static_cast<LanesOf<T>::mask>(-1);                                         \
  }                                                                                          \
  LN_INLINE Vec<T> select(Mask<T> m, Vec<T> a, Vec<T> b) {                                   \
    return {_mm512_mask_blend_##suffix(m.v, b.v, a.v)};                                      \
  }                                                                                          \
  LN_INLINE Int<T> select(Mask<T> m, Int<T> a, Int<T> b) {                                   \
    return {(LanesOf<T>::ints)_mm512_mask_blend_##isuffix(m.v, (__m512i)b.v, (__m512i)a.v)}; \
  }
LN_DEFINE_OPS(float, ps, epi32)
LN_DEFINE_OPS(double, pd, epi64)
#undef LN_DEFINE_OPS

// Half a vector, for what has few columns: Zen 4 multiplies two of them in the time of a whole one.
#define LN_HAS_HALF_VEC 1
template <class T>
struct HalfVec;
#define LN_DEFINE_HALF(T, vector, suffix, lanes)                                            \
  template <>                                                                               \
  struct HalfVec<T> {                                                                       \
    static constexpr int size = lanes;                                                      \
    vector v;                                                                               \
    static LN_INLINE __mmask8 first(int n) {                                                \
      return static_cast<__mmask8>(_bzhi_u32((1U << lanes) - 1, static_cast<unsigned>(n))); \
    }                                                                                       \
    static LN_INLINE HalfVec set1(T x) {                                                    \
      return {_mm256_set1_##suffix(x)};                                                     \
    }                                                                                       \
    static LN_INLINE HalfVec zero() {                                                       \
      return {_mm256_setzero_##suffix()};                                                   \
    }                                                                                       \
    static LN_INLINE HalfVec load(const T* p) {                                             \
      return {_mm256_loadu_##suffix(p)};                                                    \
    }                                                                                       \
    static LN_INLINE HalfVec load_partial(const T* p, int n) {                              \
      return {_mm256_maskz_loadu_##suffix(first(n), p)};                                    \
    }                                                                                       \
    LN_INLINE void store(T* p) const {                                                      \
      _mm256_storeu_##suffix(p, v);                                                         \
    }                                                                                       \
    LN_INLINE void store_partial(T* p, int n) const {                                       \
      _mm256_mask_storeu_##suffix(p, first(n), v);                                          \
    }                                                                                       \
  };                                                                                        \
  LN_INLINE HalfVec<T> operator+(HalfVec<T> a, HalfVec<T> b) {                              \
    return {a.v + b.v};                                                                     \
  }                                                                                         \
  LN_INLINE HalfVec<T> fma(HalfVec<T> a, HalfVec<T> b, HalfVec<T> c) {                      \
    return {_mm256_fmadd_##suffix(a.v, b.v, c.v)};                                          \
  }                                                                                         \
  LN_INLINE HalfVec<T> max(HalfVec<T> a, HalfVec<T> b) {                                    \
    return {_mm256_max_##suffix(a.v, b.v)};                                                 \
  }
LN_DEFINE_HALF(float, __m256, ps, 8)
LN_DEFINE_HALF(double, __m256d, pd, 4)
#undef LN_DEFINE_HALF

LN_INLINE Int<float> to_int(Vec<float> a) {
  return {(LanesOf<float>::ints)_mm512_cvtps_epi32(a.v)};
}
LN_INLINE Vec<float> to_float(Int<float> a) {
  return {_mm512_cvtepi32_ps((__m512i)a.v)};
}

// table[i % 32] for each lane i.
#define LN_HAS_LOOKUP 1
LN_INLINE Vec<float> lookup(const float (&table)[32], Int<float> i) {
  return {_mm512_permutex2var_ps(_mm512_loadu_ps(table), (__m512i)i.v, _mm512_loadu_ps(table + 16))};
}

// 1 / a to 14 bits.
#define LN_HAS_RECIPROCAL 1
LN_INLINE Vec<float> reciprocal_estimate(Vec<float> a) {
  return {_mm512_rcp14_ps(a.v)};
}

// Products of the low 32 bits of each lane, unsigned.
LN_INLINE Int<double> multiply_low32(Int<double> a, Int<double> b) {
  return {(LanesOf<double>::ints)_mm512_mul_epu32((__m512i)a.v, (__m512i)b.v)};
}

LN_INLINE float reduce_add(Vec<float> a) {
  const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
LN_INLINE Four<float> reduce_add(Vec<float> a, Vec<float> b, Vec<float> c, Vec<float> d) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a.v, b.v), _mm512_unpackhi_ps(a.v, b.v));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c.v, d.v), _mm512_unpackhi_ps(c.v, d.v));
  const __m512 s = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
  const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps(s, 1));
  return _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
}
LN_INLINE double reduce_add(Vec<double> a) {
  const __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(a.v), _mm512_extractf64x4_pd(a.v, 1));
  const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
  return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

// The largest lane, if none is NaN.
LN_INLINE float reduce_max_number(Vec<float> a) {
  return _mm512_reduce_max_ps(a.v);
}
LN_INLINE double reduce_max_number(Vec<double> a) {
  return _mm512_reduce_max_pd(a.v);
}

LN_INLINE void widen(Vec<float> a, Vec<double>& low, Vec<double>& high) {
  low.v = _mm512_cvtps_pd(_mm512_castps512_ps256(a.v));
  high.v = _mm512_cvtps_pd(_mm512_extractf32x8_ps(a.v, 1));
}
LN_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return {_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low.v)), _mm512_cvtpd_ps(high.v), 1)};
}

LN_INLINE Vec<float> load_f16(const uint16_t* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
LN_INLINE void store_f16(Vec<float> a, uint16_t* p) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
LN_INLINE Vec<float> load_bf16(const uint16_t* p) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(wide, 16))};
}
// Two vectors of packed weights: bfloat16 with the second in the upper halves of 32 bits, int8 one after the
// other.
LN_INLINE void load_pair(const uint16_t* p, Vec<float>& first, Vec<float>& second) {
  const __m512i both = _mm512_loadu_si512(p);
  first.v = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
  second.v = _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(static_cast<int>(0xffff0000U))));
}
LN_INLINE void load_pair(const int8_t* p, Vec<float>& first, Vec<float>& second) {
  const auto load = [](const int8_t* from) __attribute__((always_inline)) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
  };
  first.v = load(p);
  second.v = load(p + 16);
}

LN_END_TARGET
