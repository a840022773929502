// Vec<T>, Int<T> and Mask<T> of the instruction set being compiled for, T = float or double.
//   Vec<T>   size; set1 zero load load_partial(p, n) store store_partial(p, n), 0 <= n <= size, zeros beyond n;
//            + - * / unary-  fma(a,b,c)=a*b+c  fnma(a,b,c)=c-a*b  fms(a,b,c)=a*b-c  max min sqrt abs copysign round
//            (half to even) floor ceil  == != < <= > >=  select(mask, a, b)  reduce_add reduce_max reduce_min
//            reduce_add(a, b, c, d): the four sums, Four<T>
//   Int<T>   as many integers of T's width: + - & | ^ shift_left<k> shift_right<k> (logical) == >
//            Int<double>: multiply_low32; Int<float> where LN_HAS_LOOKUP: lookup(table of 32 numbers, i)
//   Vec<float> where LN_HAS_RECIPROCAL: reciprocal_estimate(a)
//   HalfVec<T>  half as wide where LN_HAS_HALF_VEC, else Vec<T>: size, loads and stores, set1 zero + fma max
//
// max/min: if an operand is NaN the result is the second operand (x86, scalar) or NaN (neon): write the constant first,
// min(constant, x), and a NaN in x passes through everywhere; max_nan/min_nan always give NaN.
// Every operation acts on lanes independently, so a value's result never depends on its place in a vector.
#pragma once

#include "target.h"

LN_BEGIN_TARGET
template <class T>
struct FourOf {
  typedef T type __attribute__((vector_size(4 * sizeof(T))));
};
template <class T>
using Four = typename FourOf<T>::type;
LN_END_TARGET

#define LN_VEC_HEADER2(isa) LN_STRING(vec_##isa.h)
#define LN_VEC_HEADER(isa) LN_VEC_HEADER2(isa)
#include LN_VEC_HEADER(LN_TARGET)

LN_BEGIN_TARGET

template <class T>
LN_INLINE Vec<T> operator+(Vec<T> a, Vec<T> b) {
  return {a.v + b.v};
}
template <class T>
LN_INLINE Vec<T> operator-(Vec<T> a, Vec<T> b) {
  return {a.v - b.v};
}
template <class T>
LN_INLINE Vec<T> operator*(Vec<T> a, Vec<T> b) {
  return {a.v * b.v};
}
template <class T>
LN_INLINE Vec<T> operator/(Vec<T> a, Vec<T> b) {
  return {a.v / b.v};
}
template <class T>
LN_INLINE Mask<T> operator>(Vec<T> a, Vec<T> b) {
  return b < a;
}
template <class T>
LN_INLINE Mask<T> operator>=(Vec<T> a, Vec<T> b) {
  return b <= a;
}

template <class T>
LN_INLINE Int<T> operator+(Int<T> a, Int<T> b) {
  typedef typename LanesOf<T>::uints uints;
  return {(typename LanesOf<T>::ints)((uints)a.v + (uints)b.v)};
}
template <class T>
LN_INLINE Int<T> operator-(Int<T> a, Int<T> b) {
  typedef typename LanesOf<T>::uints uints;
  return {(typename LanesOf<T>::ints)((uints)a.v - (uints)b.v)};
}
template <class T>
LN_INLINE Int<T> operator&(Int<T> a, Int<T> b) {
  return {a.v & b.v};
}
template <class T>
LN_INLINE Int<T> operator|(Int<T> a, Int<T> b) {
  return {a.v | b.v};
}
template <class T>
LN_INLINE Int<T> operator^(Int<T> a, Int<T> b) {
  return {a.v ^ b.v};
}
template <int k, class T>
LN_INLINE Int<T> shift_left(Int<T> a) {
  return {(typename LanesOf<T>::ints)((typename LanesOf<T>::uints)a.v << k)};
}
template <int k, class T>
LN_INLINE Int<T> shift_right(Int<T> a) {
  return {(typename LanesOf<T>::ints)((typename LanesOf<T>::uints)a.v >> k)};
}

// Reinterpretation of the bits.
template <class T>
LN_INLINE Int<T> as_int(Vec<T> a) {
  return {(typename LanesOf<T>::ints)a.v};
}
template <class T>
LN_INLINE Vec<T> as_float(Int<T> a) {
  return {(typename LanesOf<T>::vector)a.v};
}

template <class T>
struct FloatTraits;
template <>
struct FloatTraits<float> {
  static constexpr int mantissa_bits = 23;
  static constexpr int bias = 127;
  static constexpr int32_t sign_bit = INT32_MIN;
  static constexpr int32_t exponent_mask = 0x7f800000;
  static constexpr float smallest_normal = 0x1p-126f;
  static constexpr float largest = 0x1.fffffep127f;
  static constexpr float infinity = __builtin_inff();
};
template <>
struct FloatTraits<double> {
  static constexpr int mantissa_bits = 52;
  static constexpr int bias = 1023;
  static constexpr int64_t sign_bit = INT64_MIN;
  static constexpr int64_t exponent_mask = 0x7ff0000000000000;
  static constexpr double smallest_normal = 0x1p-1022;
  static constexpr double largest = 0x1.fffffffffffffp1023;
  static constexpr double infinity = __builtin_inf();
};

template <class T>
LN_INLINE Vec<T> operator-(Vec<T> a) {
  return as_float(as_int(a) ^ Int<T>::set1(FloatTraits<T>::sign_bit));
}
template <class T>
LN_INLINE Vec<T> abs(Vec<T> a) {
  return as_float(as_int(a) & Int<T>::set1(~FloatTraits<T>::sign_bit));
}
// The sign bit of a, alone.
template <class T>
LN_INLINE Int<T> sign_of(Vec<T> a) {
  return as_int(a) & Int<T>::set1(FloatTraits<T>::sign_bit);
}
template <class T>
LN_INLINE Vec<T> flip_sign(Vec<T> a, Int<T> sign) {
  return as_float(as_int(a) ^ sign);
}
template <class T>
LN_INLINE Vec<T> copysign(Vec<T> magnitude, Vec<T> sign) {
  return as_float((as_int(magnitude) & Int<T>::set1(~FloatTraits<T>::sign_bit)) | sign_of(sign));
}
template <class T>
LN_INLINE Mask<T> is_nan(Vec<T> a) {
  return a != a;
}
// NaN if an operand is NaN.
template <class T>
LN_INLINE Vec<T> max_nan(Vec<T> a, Vec<T> b) {
  return select(is_nan(a), a, max(a, b));
}
template <class T>
LN_INLINE Vec<T> min_nan(Vec<T> a, Vec<T> b) {
  return select(is_nan(a), a, min(a, b));
}
// a where true, 0 elsewhere.
template <class T>
LN_INLINE Vec<T> keep(Mask<T> m, Vec<T> a) {
  return select(m, a, Vec<T>::zero());
}

// 2^n for integral n in [-126, 127] or [-1022, 1023]. Adding 1.5 * 2^(mantissa bits) leaves n in the low mantissa bits,
// from where a shift moves it into the exponent.
template <class T>
LN_INLINE Vec<T> pow2i(Vec<T> n) {
  typedef FloatTraits<T> F;
  const T magic = sizeof(T) == 4 ? T(0x1.8p23 + F::bias) : T(0x1.8p52 + F::bias);
  return as_float(shift_left<F::mantissa_bits>(as_int(n + Vec<T>::set1(magic))));
}

// Instruction sets overload it.
template <class T>
LN_INLINE Four<T> reduce_add(Vec<T> a, Vec<T> b, Vec<T> c, Vec<T> d) {
  return Four<T>{reduce_add(a), reduce_add(b), reduce_add(c), reduce_add(d)};
}

#ifndef LN_HAS_HALF_VEC
template <class T>
using HalfVec = Vec<T>;
#endif

#ifndef LN_HAS_LDEXP
// a * 2^n with one rounding for any integral n, including results that are denormal or overflow, for |a| in [2^-20,
// 2^20]. The first factor keeps the product normal, the second rounds.
template <class T>
LN_INLINE Vec<T> ldexp(Vec<T> a, Vec<T> n) {
  const T reach = sizeof(T) == 4 ? T(100) : T(1000);
  const Vec<T> first = max(Vec<T>::set1(-reach), min(Vec<T>::set1(reach), n));
  const T rest = sizeof(T) == 4 ? T(126) : T(1022);
  const Vec<T> second = max(Vec<T>::set1(-rest), min(Vec<T>::set1(rest), n - first));
  return (a * pow2i(first)) * pow2i(second);
}
#endif

// Keeps v in a register. gcc 12 makes a load that serves several products an operand in memory of each of them, which
// costs as many loads, two accesses each where v crosses a cache line.
template <class T>
LN_INLINE void hold(Vec<T>& v) {
#if defined(__x86_64__) || defined(__i386__)
  __asm__("" : "+v"(v.v));
#elif defined(__aarch64__)
  __asm__("" : "+w"(v.v));
#else
  (void)v;
#endif
}

// True in the first n lanes.
template <class T>
LN_INLINE Mask<T> first_lanes(int n) {
  static const T numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return Vec<T>::load(numbers) < Vec<T>::set1(static_cast<T>(n));
}

// The largest and smallest lane; NaN if a lane is NaN.
template <class T>
LN_INLINE T reduce_max(Vec<T> a) {
  return any(is_nan(a)) ? static_cast<T>(__builtin_nan("")) : reduce_max_number(a);
}
template <class T>
LN_INLINE T reduce_min(Vec<T> a) {
  return any(is_nan(a)) ? static_cast<T>(__builtin_nan("")) : -reduce_max_number(-a);
}

LN_END_TARGET
