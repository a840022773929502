// y = f(a, b), elementwise, either operand possibly one number. Integer arithmetic wraps, so it is done unsigned.
#pragma once

#include "elementwise.inl.h"
#include "math.inl.h"

LN_BEGIN_TARGET

#define LN_DEFINE_BINARY_FLOAT_OF(name, T, suffix, unroll, expression)                                             \
  inline void binary_##name##_##suffix(const T* in_a, const T* in_b, T* y, size_t n, int mode) noexcept {          \
    typedef Vec<T> V;                                                                                              \
    map2_mode<unroll>(in_a, in_b, y, n, mode, [](V a, V b) __attribute__((always_inline)) { return expression; }); \
  }
#define LN_DEFINE_BINARY_FLOAT(name, unroll, expression)            \
  LN_DEFINE_BINARY_FLOAT_OF(name, float, f32, unroll, (expression)) \
  LN_DEFINE_BINARY_FLOAT_OF(name, double, f64, unroll, (expression))
// clang-format off
LN_DEFINE_BINARY_FLOAT(add, 4, a + b)
LN_DEFINE_BINARY_FLOAT(subtract, 4, a - b)
LN_DEFINE_BINARY_FLOAT(multiply, 4, a * b)
LN_DEFINE_BINARY_FLOAT(divide, 4, a / b)
LN_DEFINE_BINARY_FLOAT(maximum, 4, max_nan(a, b))
LN_DEFINE_BINARY_FLOAT(minimum, 4, min_nan(a, b))
LN_DEFINE_BINARY_FLOAT(power, 1, power(a, b))
// clang-format on
#undef LN_DEFINE_BINARY_FLOAT
#undef LN_DEFINE_BINARY_FLOAT_OF

#define LN_DEFINE_BINARY_INT_OF(name, T, U, suffix, expression)                                           \
  inline void binary_##name##_##suffix(const T* in_a, const T* in_b, T* y, size_t n, int mode) noexcept { \
    loop2_mode(                                                                                           \
        in_a, in_b, y, n, mode, [](T a, T b) __attribute__((always_inline)) {                             \
          [[maybe_unused]] const U ua = static_cast<U>(a), ub = static_cast<U>(b);                        \
          return static_cast<T>(expression);                                                              \
        });                                                                                               \
  }
#define LN_DEFINE_BINARY_INT(name, expression)                      \
  LN_DEFINE_BINARY_INT_OF(name, int32_t, uint32_t, i32, expression) \
  LN_DEFINE_BINARY_INT_OF(name, int64_t, uint64_t, i64, expression) \
  LN_DEFINE_BINARY_INT_OF(name, int8_t, uint8_t, i8, expression)    \
  LN_DEFINE_BINARY_INT_OF(name, uint8_t, uint8_t, u8, expression)
// clang-format off
LN_DEFINE_BINARY_INT(add, ua + ub)
LN_DEFINE_BINARY_INT(subtract, ua - ub)
LN_DEFINE_BINARY_INT(multiply, ua * ub)
LN_DEFINE_BINARY_INT(maximum, a < b ? b : a)
LN_DEFINE_BINARY_INT(minimum, b < a ? b : a)
// clang-format on
#undef LN_DEFINE_BINARY_INT
#undef LN_DEFINE_BINARY_INT_OF

// Floor division and its remainder, whose sign is the divisor's (Python, numpy).
LN_INLINE float c_remainder(float a, float b) {
  return __builtin_fmodf(a, b);
}
LN_INLINE double c_remainder(double a, double b) {
  return __builtin_fmod(a, b);
}
template <class T>
LN_INLINE T float_mod(T a, T b) {
  const T r = c_remainder(a, b);
  if (b == T(0)) return r;
  if (r == T(0)) return static_cast<T>(__builtin_copysign(0.0, static_cast<double>(b)));
  return (b < T(0)) != (r < T(0)) ? r + b : r;
}
template <class T>
LN_INLINE T float_floordiv(T a, T b) {
  if (b == T(0)) return a / b;
  const T r = c_remainder(a, b);
  T q = (a - r) / b;  // an integer but for rounding
  if (r != T(0) && (b < T(0)) != (r < T(0))) q -= T(1);
  if (q == T(0)) return static_cast<T>(__builtin_copysign(0.0, static_cast<double>(a / b)));
  const T below = static_cast<T>(__builtin_floor(static_cast<double>(q)));
  return q - below > T(0.5) ? below + T(1) : below;
}
template <class T, class U>
LN_INLINE T int_floordiv(T a, T b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<T>(U(0) - static_cast<U>(a));  // the smallest integer wraps instead of trapping
  const T q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}
template <class T>
LN_INLINE T int_mod(T a, T b) {
  if (b == 0 || b == -1) return 0;
  const T r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
#define LN_DEFINE_DIVISION(T, suffix, floordiv, mod)                                                      \
  inline void binary_floordiv_##suffix(const T* a, const T* b, T* y, size_t n, int mode) noexcept {       \
    loop2_mode(a, b, y, n, mode, [](T u, T v) __attribute__((always_inline)) { return floordiv(u, v); }); \
  }                                                                                                       \
  inline void binary_mod_##suffix(const T* a, const T* b, T* y, size_t n, int mode) noexcept {            \
    loop2_mode(a, b, y, n, mode, [](T u, T v) __attribute__((always_inline)) { return mod(u, v); });      \
  }
LN_DEFINE_DIVISION(float, f32, float_floordiv, float_mod)
LN_DEFINE_DIVISION(double, f64, float_floordiv, float_mod)
LN_DEFINE_DIVISION(int32_t, i32, (int_floordiv<int32_t, uint32_t>), int_mod)
LN_DEFINE_DIVISION(int64_t, i64, (int_floordiv<int64_t, uint64_t>), int_mod)
#undef LN_DEFINE_DIVISION

LN_END_TARGET
