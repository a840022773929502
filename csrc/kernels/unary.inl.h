// y = f(x), elementwise. The functions themselves are in math.inl.h; here are the simple ones and the loops.
#pragma once

#include "elementwise.inl.h"
#include "math.inl.h"

LN_BEGIN_TARGET

template <class T>
LN_INLINE Vec<T> sign(Vec<T> x) {
  return select((x < Vec<T>::zero()) | (x > Vec<T>::zero()), copysign(Vec<T>::set1(T(1)), x), x);
}
template <class T>
LN_INLINE Vec<T> relu(Vec<T> x) {
  return max(Vec<T>::zero(), x);
}
template <class T>
LN_INLINE Vec<T> leaky_relu(Vec<T> x, Vec<T> alpha) {
  return select(x < Vec<T>::zero(), alpha * x, x);
}
template <class T>
LN_INLINE Vec<T> elu(Vec<T> x, Vec<T> alpha) {
  return select(x < Vec<T>::zero(), scaled_expm1(x, alpha, Vec<T>::zero()), x);
}
template <class T>
LN_INLINE Vec<T> selu(Vec<T> x) {
  typedef MathConstants<T> M;
  const Vec<T> negative = scaled_expm1(x, Vec<T>::set1(M::selu_scale_alpha), Vec<T>::set1(M::selu_scale_alpha_low));
  return select(x < Vec<T>::zero(), negative, Vec<T>::set1(M::selu_scale) * x);
}
template <class T>
LN_INLINE Vec<T> hard_sigmoid(Vec<T> x) {
  const Vec<T> line = fma(Vec<T>::set1(T(0.2)), x, Vec<T>::set1(T(0.5)));
  return min(Vec<T>::set1(T(1)), max(Vec<T>::zero(), line));
}
// As numpy.clip: where high < low, high wins.
template <class T>
LN_INLINE Vec<T> clip(Vec<T> x, Vec<T> low, Vec<T> high) {
  return min(high, max(low, x));
}

// Defines unary_<name>_f32 and _f64. `expression` is in x and in the parameters p0, p1 (0 when p is null), all Vec<T>.
#define LN_DEFINE_UNARY_OF(name, T, suffix, unroll, parameters, expression)                                       \
  inline void unary_##name##_##suffix(const T* in, T* out, size_t n, [[maybe_unused]] const double* p) noexcept { \
    typedef Vec<T> V;                                                                                             \
    [[maybe_unused]] const V p0 = V::set1(static_cast<T>(parameters > 0 ? p[0] : 0.0));                           \
    [[maybe_unused]] const V p1 = V::set1(static_cast<T>(parameters > 1 ? p[1] : 0.0));                           \
    map<unroll>(in, out, n, [=](V x) __attribute__((always_inline)) { return expression; });                      \
  }
#define LN_DEFINE_UNARY(name, unroll, parameters, expression)            \
  LN_DEFINE_UNARY_OF(name, float, f32, unroll, parameters, (expression)) \
  LN_DEFINE_UNARY_OF(name, double, f64, unroll, parameters, (expression))

// clang-format off
LN_DEFINE_UNARY(negative, 4, 0, -x)
LN_DEFINE_UNARY(abs, 4, 0, abs(x))
LN_DEFINE_UNARY(sign, 4, 0, sign(x))
LN_DEFINE_UNARY(square, 4, 0, x * x)
LN_DEFINE_UNARY(sqrt, 4, 0, sqrt(x))
LN_DEFINE_UNARY(rsqrt, 4, 0, V::set1(1) / sqrt(x))
LN_DEFINE_UNARY(reciprocal, 4, 0, V::set1(1) / x)
LN_DEFINE_UNARY(floor, 4, 0, floor(x))
LN_DEFINE_UNARY(ceil, 4, 0, ceil(x))
LN_DEFINE_UNARY(round, 4, 0, round(x))
LN_DEFINE_UNARY(relu, 4, 0, relu(x))
LN_DEFINE_UNARY(leaky_relu, 4, 1, leaky_relu(x, p0))
LN_DEFINE_UNARY(hard_sigmoid, 4, 0, hard_sigmoid(x))
LN_DEFINE_UNARY(softsign, 4, 0, softsign(x))
LN_DEFINE_UNARY(clip, 4, 2, clip(x, p0, p1))
LN_DEFINE_UNARY(affine, 4, 2, fma(x, p0, p1))
LN_DEFINE_UNARY(exp, 2, 0, exp(x))
LN_DEFINE_UNARY(log, 1, 0, log(x))
LN_DEFINE_UNARY(log1p, 1, 0, log1p(x))
LN_DEFINE_UNARY(expm1, 1, 0, expm1(x))
LN_DEFINE_UNARY(sin, 1, 0, sin(x))
LN_DEFINE_UNARY(cos, 1, 0, cos(x))
LN_DEFINE_UNARY(erf, 1, 0, erf(x))
LN_DEFINE_UNARY(elu, 1, 1, elu(x, p0))
LN_DEFINE_UNARY(selu, 1, 0, selu(x))
LN_DEFINE_UNARY(sigmoid, 1, 0, sigmoid(x))
LN_DEFINE_UNARY_OF(tanh, double, f64, 1, 0, tanh(x))
LN_DEFINE_UNARY(softplus, 1, 0, softplus(x))
LN_DEFINE_UNARY(gelu, 1, 0, gelu(x))
LN_DEFINE_UNARY(gelu_tanh, 1, 0, gelu_tanh(x))
LN_DEFINE_UNARY(silu, 1, 0, silu(x))
LN_DEFINE_UNARY(mish, 1, 0, mish(x))
// clang-format on
#undef LN_DEFINE_UNARY
#undef LN_DEFINE_UNARY_OF

inline void unary_tanh_f32(const float* in, float* out, size_t n, const double*) noexcept {
  map_in_step<kTanhInStep>(in, out, n, [](auto& x) __attribute__((always_inline)) { tanh_each(x); });
}

// x^p[0]. The exponent keeps its double precision for floats too. Frequent exponents have exact short cuts.
template <class T>
LN_INLINE Vec<T> power_by(Vec<T> x, double exponent);
template <>
LN_INLINE Vec<double> power_by(Vec<double> x, double exponent) {
  return power(x, Vec<double>::set1(exponent));
}
template <>
LN_INLINE Vec<float> power_by(Vec<float> x, double exponent) {
  // The special values are found in double, where the exponent is exact.
  Vec<double> low, high;
  widen(x, low, high);
  const Vec<double> y = Vec<double>::set1(exponent);
  return narrow(power_special(low, y, power_magnitude_float(abs(low), y)),
                power_special(high, y, power_magnitude_float(abs(high), y)));
}
template <class T>
LN_INLINE void power_scalar(const T* in, T* out, size_t n, double exponent) {
  typedef Vec<T> V;
  const V one = V::set1(T(1));
  if (exponent == 2.0) return map<4>(in, out, n, [=](V x) __attribute__((always_inline)) { return x * x; });
  if (exponent == 1.0) return map<4>(in, out, n, [=](V x) __attribute__((always_inline)) { return x; });
  if (exponent == -1.0) return map<4>(in, out, n, [=](V x) __attribute__((always_inline)) { return one / x; });
  if (exponent == 0.5) {
    // (-inf)^0.5 is inf and (-0)^0.5 is 0, unlike sqrt.
    const V minus_infinity = V::set1(-FloatTraits<T>::infinity);
    return map<4>(
        in, out, n, [=](V x) __attribute__((always_inline)) {
          return select(x == minus_infinity, -minus_infinity, sqrt(x + V::zero()));
        });
  }
  map<1>(in, out, n, [=](V x) __attribute__((always_inline)) { return power_by(x, exponent); });
}
inline void unary_power_scalar_f32(const float* x, float* y, size_t n, const double* p) noexcept {
  power_scalar(x, y, n, p[0]);
}
inline void unary_power_scalar_f64(const double* x, double* y, size_t n, const double* p) noexcept {
  power_scalar(x, y, n, p[0]);
}

// Integers: plain loops, which the compiler vectorises. Arithmetic wraps, hence unsigned.
#define LN_DEFINE_UNARY_INT_OF(name, T, U, suffix, expression)                                 \
  inline void unary_##name##_##suffix(const T* in, T* out, size_t n, const double*) noexcept { \
    LN_INDEPENDENT                                                                             \
    for (size_t i = 0; i < n; ++i) {                                                           \
      const T x = in[i];                                                                       \
      [[maybe_unused]] const U u = static_cast<U>(x);                                          \
      out[i] = static_cast<T>(expression);                                                     \
    }                                                                                          \
  }
#define LN_DEFINE_UNARY_INT(name, expression)                      \
  LN_DEFINE_UNARY_INT_OF(name, int32_t, uint32_t, i32, expression) \
  LN_DEFINE_UNARY_INT_OF(name, int64_t, uint64_t, i64, expression)
// clang-format off
LN_DEFINE_UNARY_INT(negative, 0 - u)
LN_DEFINE_UNARY_INT(abs, x < 0 ? 0 - u : u)
LN_DEFINE_UNARY_INT(sign, (x > 0) - (x < 0))
LN_DEFINE_UNARY_INT(square, u * u)
// clang-format on
#undef LN_DEFINE_UNARY_INT
#undef LN_DEFINE_UNARY_INT_OF

LN_END_TARGET
