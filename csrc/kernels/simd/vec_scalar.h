// Vec for any CPU: compiler vectors of 16 bytes, which become SSE2 on x86-64 and loops elsewhere.
// It is a full implementation and the reference for the other instruction sets. fma rounds twice here.
#pragma once

#include "half.h"
#include "target.h"

LN_BEGIN_TARGET

template <class T>
struct LanesOf;
template <>
struct LanesOf<float> {
  typedef float vector __attribute__((vector_size(16)));
  typedef int32_t ints __attribute__((vector_size(16)));
  typedef uint32_t uints __attribute__((vector_size(16)));
  typedef int32_t int_type;
  typedef uint32_t uint_type;
};
template <>
struct LanesOf<double> {
  typedef double vector __attribute__((vector_size(16)));
  typedef int64_t ints __attribute__((vector_size(16)));
  typedef uint64_t uints __attribute__((vector_size(16)));
  typedef int64_t int_type;
  typedef uint64_t uint_type;
};

constexpr bool kHasFma = false;

template <class T>
struct Vec {
  static constexpr int size = 16 / static_cast<int>(sizeof(T));
  typename LanesOf<T>::vector v;

  // Written out: from a loop over the lanes gcc 12 makes ten instructions.
  static LN_INLINE Vec set1(T x) {
    if constexpr (size == 4)
      return {typename LanesOf<T>::vector{x, x, x, x}};
    else
      return {typename LanesOf<T>::vector{x, x}};
  }
  static LN_INLINE Vec zero() { return set1(T(0)); }
  static LN_INLINE Vec load(const T* p) {
    Vec r;
    memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  static LN_INLINE Vec load_partial(const T* p, int n) {
    Vec r = zero();
    for (int i = 0; i < size; ++i)
      if (i < n) r.v[i] = p[i];
    return r;
  }
  LN_INLINE void store(T* p) const { memcpy(p, &v, sizeof v); }
  LN_INLINE void store_partial(T* p, int n) const {
    for (int i = 0; i < size; ++i)
      if (i < n) p[i] = v[i];
  }
};

template <class T>
struct Int {
  typename LanesOf<T>::ints v;
  static LN_INLINE Int set1(typename LanesOf<T>::int_type x) {
    Int r;
    for (int i = 0; i < Vec<T>::size; ++i) r.v[i] = x;
    return r;
  }
};

// All bits of a lane are set where true.
template <class T>
struct Mask {
  typename LanesOf<T>::ints v;
};

template <class T>
LN_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
  return {a.v * b.v + c.v};
}
template <class T>
LN_INLINE Vec<T> fnma(Vec<T> a, Vec<T> b, Vec<T> c) {
  return {c.v - a.v * b.v};
}
template <class T>
LN_INLINE Vec<T> fms(Vec<T> a, Vec<T> b, Vec<T> c) {
  return {a.v * b.v - c.v};
}

template <class T>
LN_INLINE Mask<T> operator==(Vec<T> a, Vec<T> b) {
  return {a.v == b.v};
}
template <class T>
LN_INLINE Mask<T> operator!=(Vec<T> a, Vec<T> b) {
  return {a.v != b.v};
}
template <class T>
LN_INLINE Mask<T> operator<(Vec<T> a, Vec<T> b) {
  return {a.v < b.v};
}
template <class T>
LN_INLINE Mask<T> operator<=(Vec<T> a, Vec<T> b) {
  return {a.v <= b.v};
}
template <class T>
LN_INLINE Mask<T> operator==(Int<T> a, Int<T> b) {
  return {a.v == b.v};
}
template <class T>
LN_INLINE Mask<T> operator>(Int<T> a, Int<T> b) {
  return {a.v > b.v};
}
template <class T>
LN_INLINE Mask<T> operator&(Mask<T> a, Mask<T> b) {
  return {a.v & b.v};
}
template <class T>
LN_INLINE Mask<T> operator|(Mask<T> a, Mask<T> b) {
  return {a.v | b.v};
}
template <class T>
LN_INLINE Mask<T> operator^(Mask<T> a, Mask<T> b) {
  return {a.v ^ b.v};
}
template <class T>
LN_INLINE Mask<T> operator~(Mask<T> a) {
  return {~a.v};
}
template <class T>
LN_INLINE bool any(Mask<T> m) {
  typename LanesOf<T>::int_type r = 0;
  for (int i = 0; i < Vec<T>::size; ++i) r |= m.v[i];
  return r != 0;
}
template <class T>
LN_INLINE bool all(Mask<T> m) {
  typename LanesOf<T>::int_type r = -1;
  for (int i = 0; i < Vec<T>::size; ++i) r &= m.v[i];
  return r != 0;
}
template <class T>
LN_INLINE Vec<T> select(Mask<T> m, Vec<T> a, Vec<T> b) {
  typedef typename LanesOf<T>::ints ints;
  return {reinterpret_cast<typename LanesOf<T>::vector>((m.v & reinterpret_cast<ints>(a.v)) |
                                                        (~m.v & reinterpret_cast<ints>(b.v)))};
}
template <class T>
LN_INLINE Int<T> select(Mask<T> m, Int<T> a, Int<T> b) {
  return {(m.v & a.v) | (~m.v & b.v)};
}

template <class T>
LN_INLINE Vec<T> max(Vec<T> a, Vec<T> b) {
  return select(b < a, a, b);
}
template <class T>
LN_INLINE Vec<T> min(Vec<T> a, Vec<T> b) {
  return select(a < b, a, b);
}

LN_INLINE Vec<float> sqrt(Vec<float> a) {
  for (int i = 0; i < 4; ++i) a.v[i] = __builtin_sqrtf(a.v[i]);
  return a;
}
LN_INLINE Vec<double> sqrt(Vec<double> a) {
  for (int i = 0; i < 2; ++i) a.v[i] = __builtin_sqrt(a.v[i]);
  return a;
}

// Rounding to an integer by adding and subtracting 2^(mantissa bits): exact below that size, and the identity above it.
template <class T>
LN_INLINE Vec<T> round(Vec<T> a) {
  typedef typename LanesOf<T>::ints ints;
  typedef typename LanesOf<T>::vector vector;
  const Vec<T> big = Vec<T>::set1(sizeof(T) == 4 ? T(8388608.0) : T(4503599627370496.0));
  const ints sign = reinterpret_cast<ints>(Vec<T>::set1(T(-0.0)).v);
  const ints sign_of_a = reinterpret_cast<ints>(a.v) & sign;
  const Vec<T> magnitude = {reinterpret_cast<vector>(reinterpret_cast<ints>(a.v) & ~sign)};
  const Vec<T> rounded = {(magnitude.v + big.v) - big.v};
  const Vec<T> with_sign = {reinterpret_cast<vector>(reinterpret_cast<ints>(rounded.v) | sign_of_a)};
  return select(magnitude < big, with_sign, a);
}
template <class T>
LN_INLINE Vec<T> floor(Vec<T> a) {
  const Vec<T> r = round(a);
  return select(a < r, Vec<T>{r.v - Vec<T>::set1(T(1)).v}, r);
}
template <class T>
LN_INLINE Vec<T> ceil(Vec<T> a) {
  return {-floor(Vec<T>{-a.v}).v};  // keeps the sign of a zero: ceil(-0.5) = -0
}

LN_INLINE Int<float> to_int(Vec<float> a) {
  return {__builtin_convertvector(a.v, LanesOf<float>::ints)};
}
LN_INLINE Vec<float> to_float(Int<float> a) {
  return {__builtin_convertvector(a.v, LanesOf<float>::vector)};
}

// Products of the low 32 bits of each lane, unsigned.
LN_INLINE Int<double> multiply_low32(Int<double> a, Int<double> b) {
  Int<double> r;
  for (int i = 0; i < 2; ++i)
    r.v[i] = static_cast<int64_t>(uint64_t{static_cast<uint32_t>(a.v[i])} * static_cast<uint32_t>(b.v[i]));
  return r;
}

template <class T>
LN_INLINE T reduce_add(Vec<T> a) {
  if (sizeof(T) == 8) return a.v[0] + a.v[1];
  return (a.v[0] + a.v[2 % Vec<T>::size]) + (a.v[1] + a.v[3 % Vec<T>::size]);
}

// The largest lane, if none is NaN.
template <class T>
LN_INLINE T reduce_max_number(Vec<T> a) {
  T m = a.v[0];
  for (int i = 1; i < Vec<T>::size; ++i) m = a.v[i] > m ? a.v[i] : m;
  return m;
}

LN_INLINE void widen(Vec<float> a, Vec<double>& low, Vec<double>& high) {
  for (int i = 0; i < 2; ++i) {
    low.v[i] = static_cast<double>(a.v[i]);
    high.v[i] = static_cast<double>(a.v[i + 2]);
  }
}
LN_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  Vec<float> r;
  for (int i = 0; i < 2; ++i) {
    r.v[i] = static_cast<float>(low.v[i]);
    r.v[i + 2] = static_cast<float>(high.v[i]);
  }
  return r;
}

LN_INLINE Vec<float> load_f16(const uint16_t* p) {
  Vec<float> r;
  for (int i = 0; i < 4; ++i) r.v[i] = half_to_float(p[i]);
  return r;
}
LN_INLINE void store_f16(Vec<float> a, uint16_t* p) {
  for (int i = 0; i < 4; ++i) p[i] = float_to_half(a.v[i]);
}
LN_INLINE Vec<float> load_bf16(const uint16_t* p) {
  LanesOf<float>::uints u{};
  for (int i = 0; i < 4; ++i) u[i] = static_cast<uint32_t>(p[i]) << 16;
  return {reinterpret_cast<LanesOf<float>::vector>(u)};
}
// Two vectors of packed weights: bfloat16 with the second in the upper halves of 32 bits, int8 one after the
// other.
LN_INLINE void load_pair(const uint16_t* p, Vec<float>& first, Vec<float>& second) {
  LanesOf<float>::uints low, high;
  for (int i = 0; i < 4; ++i) {
    low[i] = static_cast<uint32_t>(p[2 * i]) << 16;
    high[i] = static_cast<uint32_t>(p[2 * i + 1]) << 16;
  }
  first.v = reinterpret_cast<LanesOf<float>::vector>(low);
  second.v = reinterpret_cast<LanesOf<float>::vector>(high);
}
LN_INLINE void load_pair(const int8_t* p, Vec<float>& first, Vec<float>& second) {
  const auto load = [](const int8_t* q) {
    return LanesOf<float>::vector{static_cast<float>(q[0]), static_cast<float>(q[1]), static_cast<float>(q[2]),
                                  static_cast<float>(q[3])};
  };
  first.v = load(p);
  second.v = load(p + 4);
}

LN_END_TARGET
