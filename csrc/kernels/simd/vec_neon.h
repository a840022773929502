// Vec for aarch64 Advanced SIMD: 4 floats or 2 doubles.
#pragma once

#include <arm_neon.h>

#include "target.h"

LN_BEGIN_TARGET

template <class T>
struct LanesOf;
template <>
struct LanesOf<float> {
  typedef float32x4_t vector;
  typedef int32_t ints __attribute__((vector_size(16)));
  typedef uint32_t uints __attribute__((vector_size(16)));
  typedef int32_t int_type;
  typedef uint32_t uint_type;
  typedef uint32x4_t mask;
};
template <>
struct LanesOf<double> {
  typedef float64x2_t vector;
  typedef int64_t ints __attribute__((vector_size(16)));
  typedef uint64_t uints __attribute__((vector_size(16)));
  typedef int64_t int_type;
  typedef uint64_t uint_type;
  typedef uint64x2_t mask;
};

constexpr bool kHasFma = true;

template <class T>
struct Vec;
template <class T>
struct Int {
  typename LanesOf<T>::ints v;
  static LN_INLINE Int set1(typename LanesOf<T>::int_type x) {
    Int r;
    for (int i = 0; i < static_cast<int>(16 / sizeof(T)); ++i) r.v[i] = x;
    return r;
  }
};

// All bits of a lane are set where true.
template <class T>
struct Mask {
  typename LanesOf<T>::mask v;
};

template <>
struct Vec<float> {
  static constexpr int size = 4;
  float32x4_t v;
  static LN_INLINE Vec set1(float x) { return {vdupq_n_f32(x)}; }
  static LN_INLINE Vec zero() { return {vdupq_n_f32(0.0f)}; }
  static LN_INLINE Vec load(const float* p) { return {vld1q_f32(p)}; }
  static LN_INLINE Vec load_partial(const float* p, int n) {
    if (n >= 4) return load(p);
    float32x4_t r = vdupq_n_f32(0.0f);
    if (n & 2) r = vcombine_f32(vld1_f32(p), vget_low_f32(r));
    if (n == 1) r = vld1q_lane_f32(p, r, 0);
    if (n == 3) r = vld1q_lane_f32(p + 2, r, 2);
    return {r};
  }
  LN_INLINE void store(float* p) const { vst1q_f32(p, v); }
  LN_INLINE void store_partial(float* p, int n) const {
    if (n >= 4) return store(p);
    if (n & 2) vst1_f32(p, vget_low_f32(v));
    if (n == 1) vst1q_lane_f32(p, v, 0);
    if (n == 3) vst1q_lane_f32(p + 2, v, 2);
  }
};
template <>
struct Vec<double> {
  static constexpr int size = 2;
  float64x2_t v;
  static LN_INLINE Vec set1(double x) { return {vdupq_n_f64(x)}; }
  static LN_INLINE Vec zero() { return {vdupq_n_f64(0.0)}; }
  static LN_INLINE Vec load(const double* p) { return {vld1q_f64(p)}; }
  static LN_INLINE Vec load_partial(const double* p, int n) {
    if (n >= 2) return load(p);
    return {n == 1 ? vld1q_lane_f64(p, vdupq_n_f64(0.0), 0) : vdupq_n_f64(0.0)};
  }
  LN_INLINE void store(double* p) const { vst1q_f64(p, v); }
  LN_INLINE void store_partial(double* p, int n) const {
    if (n >= 2) return store(p);
    if (n == 1) vst1q_lane_f64(p, v, 0);
  }
};

// The same definitions for float and double; only the intrinsics' suffixes differ.
#define LN_DEFINE_OPS(T, suffix, usuffix)                                                             \
  LN_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {                                                \
    return {vfmaq_##suffix(c.v, a.v, b.v)};                                                           \
  }                                                                                                   \
  LN_INLINE Vec<T> fnma(Vec<T> a, Vec<T> b, Vec<T> c) {                                               \
    return {vfmsq_##suffix(c.v, a.v, b.v)};                                                           \
  }                                                                                                   \
  LN_INLINE Vec<T> fms(Vec<T> a, Vec<T> b, Vec<T> c) {                                                \
    return {vfmaq_##suffix(vnegq_##suffix(c.v), a.v, b.v)};                                           \
  }                                                                                                   \
  LN_INLINE Vec<T> max(Vec<T> a, Vec<T> b) {                                                          \
    return {vmaxq_##suffix(a.v, b.v)};                                                                \
  }                                                                                                   \
  LN_INLINE Vec<T> min(Vec<T> a, Vec<T> b) {                                                          \
    return {vminq_##suffix(a.v, b.v)};                                                                \
  }                                                                                                   \
  LN_INLINE Vec<T> sqrt(Vec<T> a) {                                                                   \
    return {vsqrtq_##suffix(a.v)};                                                                    \
  }                                                                                                   \
  LN_INLINE Vec<T> round(Vec<T> a) {                                                                  \
    return {vrndnq_##suffix(a.v)};                                                                    \
  }                                                                                                   \
  LN_INLINE Vec<T> floor(Vec<T> a) {                                                                  \
    return {vrndmq_##suffix(a.v)};                                                                    \
  }                                                                                                   \
  LN_INLINE Vec<T> ceil(Vec<T> a) {                                                                   \
    return {vrndpq_##suffix(a.v)};                                                                    \
  }                                                                                                   \
  LN_INLINE Mask<T> operator==(Vec<T> a, Vec<T> b) {                                                  \
    return {vceqq_##suffix(a.v, b.v)};                                                                \
  }                                                                                                   \
  LN_INLINE Mask<T> operator<(Vec<T> a, Vec<T> b) {                                                   \
    return {vcltq_##suffix(a.v, b.v)};                                                                \
  }                                                                                                   \
  LN_INLINE Mask<T> operator<=(Vec<T> a, Vec<T> b) {                                                  \
    return {vcleq_##suffix(a.v, b.v)};                                                                \
  }                                                                                                   \
  LN_INLINE Mask<T> operator==(Int<T> a, Int<T> b) {                                                  \
    return {(LanesOf<T>::mask)(a.v == b.v)};                                                          \
  }                                                                                                   \
  LN_INLINE Mask<T> operator>(Int<T> a, Int<T> b) {                                                   \
    return {(LanesOf<T>::mask)(a.v > b.v)};                                                           \
  }                                                                                                   \
  LN_INLINE Mask<T> operator&(Mask<T> a, Mask<T> b) {                                                 \
    return {vandq_##usuffix(a.v, b.v)};                                                               \
  }                                                                                                   \
  LN_INLINE Mask<T> operator|(Mask<T> a, Mask<T> b) {                                                 \
    return {vorrq_##usuffix(a.v, b.v)};                                                               \
  }                                                                                                   \
  LN_INLINE Mask<T> operator^(Mask<T> a, Mask<T> b) {                                                 \
    return {veorq_##usuffix(a.v, b.v)};                                                               \
  }                                                                                                   \
  LN_INLINE Mask<T> operator~(Mask<T> a) {                                                            \
    return {~a.v};                                                                                    \
  }                                                                                                   \
  LN_INLINE Mask<T> operator!=(Vec<T> a, Vec<T> b) {                                                  \
    return ~(a == b);                                                                                 \
  }                                                                                                   \
  LN_INLINE bool any(Mask<T> m) {                                                                     \
    return vmaxvq_u32((uint32x4_t)m.v) != 0;                                                          \
  }                                                                                                   \
  LN_INLINE bool all(Mask<T> m) {                                                                     \
    return vminvq_u32((uint32x4_t)m.v) != 0;                                                          \
  }                                                                                                   \
  LN_INLINE Vec<T> select(Mask<T> m, Vec<T> a, Vec<T> b) {                                            \
    return {vbslq_##suffix(m.v, a.v, b.v)};                                                           \
  }                                                                                                   \
  LN_INLINE Int<T> select(Mask<T> m, Int<T> a, Int<T> b) {                                            \
    return {(LanesOf<T>::ints)vbslq_##suffix(m.v, (LanesOf<T>::vector)a.v, (LanesOf<T>::vector)b.v)}; \
  }
LN_DEFINE_OPS(float, f32, u32)
LN_DEFINE_OPS(double, f64, u64)
#undef LN_DEFINE_OPS

LN_INLINE Int<float> to_int(Vec<float> a) {
  return {(LanesOf<float>::ints)vcvtnq_s32_f32(a.v)};
}
LN_INLINE Vec<float> to_float(Int<float> a) {
  return {vcvtq_f32_s32((int32x4_t)a.v)};
}

// Products of the low 32 bits of each lane, unsigned.
LN_INLINE Int<double> multiply_low32(Int<double> a, Int<double> b) {
  return {(LanesOf<double>::ints)vmull_u32(vmovn_u64((uint64x2_t)a.v), vmovn_u64((uint64x2_t)b.v))};
}

LN_INLINE float reduce_add(Vec<float> a) {
  const float32x2_t s = vadd_f32(vget_low_f32(a.v), vget_high_f32(a.v));
  return vget_lane_f32(s, 0) + vget_lane_f32(s, 1);
}
LN_INLINE double reduce_add(Vec<double> a) {
  return vgetq_lane_f64(a.v, 0) + vgetq_lane_f64(a.v, 1);
}

// The largest lane, if none is NaN.
LN_INLINE float reduce_max_number(Vec<float> a) {
  return vmaxvq_f32(a.v);
}
LN_INLINE double reduce_max_number(Vec<double> a) {
  return vmaxvq_f64(a.v);
}

LN_INLINE void widen(Vec<float> a, Vec<double>& low, Vec<double>& high) {
  low.v = vcvt_f64_f32(vget_low_f32(a.v));
  high.v = vcvt_high_f64_f32(a.v);
}
LN_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  return {vcvt_high_f32_f64(vcvt_f32_f64(low.v), high.v)};
}

LN_INLINE Vec<float> load_f16(const uint16_t* p) {
  return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))};
}
LN_INLINE void store_f16(Vec<float> a, uint16_t* p) {
  vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(a.v)));
}
LN_INLINE Vec<float> load_bf16(const uint16_t* p) {
  return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))};
}
// Two vectors of packed weights: bfloat16 with the second in the upper halves of 32 bits, int8 one after the
// other.
LN_INLINE void load_pair(const uint16_t* p, Vec<float>& first, Vec<float>& second) {
  const uint32x4_t both = vreinterpretq_u32_u16(vld1q_u16(p));
  first.v = vreinterpretq_f32_u32(vshlq_n_u32(both, 16));
  second.v = vreinterpretq_f32_u32(vandq_u32(both, vdupq_n_u32(0xffff0000U)));
}
LN_INLINE void load_pair(const int8_t* p, Vec<float>& first, Vec<float>& second) {
  const int16x8_t both = vmovl_s8(vld1_s8(p));
  first.v = vcvtq_f32_s32(vmovl_s16(vget_low_s16(both)));
  second.v = vcvtq_f32_s32(vmovl_s16(vget_high_s16(both)));
}

LN_END_TARGET
