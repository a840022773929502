// Comparisons, logic on bools (0 or 1 in a byte; any other byte counts as true) and selection: plain loops, which the
// compiler vectorises.
#pragma once

#include "elementwise.inl.h"

LN_BEGIN_TARGET

#define LN_DEFINE_COMPARE_OF(name, T, suffix, expression)                                                        \
  inline void compare_##name##_##suffix(const T* in_a, const T* in_b, uint8_t* y, size_t n, int mode) noexcept { \
    loop2_mode(                                                                                                  \
        in_a, in_b, y, n, mode,                                                                                  \
        [](T a, T b) __attribute__((always_inline)) { return static_cast<uint8_t>(expression); });               \
  }
#define LN_DEFINE_COMPARE(name, expression)            \
  LN_DEFINE_COMPARE_OF(name, float, f32, expression)   \
  LN_DEFINE_COMPARE_OF(name, double, f64, expression)  \
  LN_DEFINE_COMPARE_OF(name, int32_t, i32, expression) \
  LN_DEFINE_COMPARE_OF(name, int64_t, i64, expression) \
  LN_DEFINE_COMPARE_OF(name, int8_t, i8, expression)   \
  LN_DEFINE_COMPARE_OF(name, uint8_t, u8, expression)  \
  LN_DEFINE_COMPARE_OF(name, uint8_t, b8, expression)
LN_DEFINE_COMPARE(equal, a == b)
LN_DEFINE_COMPARE(not_equal, a != b)
LN_DEFINE_COMPARE(less, a < b)
LN_DEFINE_COMPARE(less_equal, a <= b)
LN_DEFINE_COMPARE(greater, a > b)
LN_DEFINE_COMPARE(greater_equal, a >= b)
#undef LN_DEFINE_COMPARE
#undef LN_DEFINE_COMPARE_OF

#define LN_DEFINE_LOGICAL(name, expression)                                                                            \
  inline void logical_##name##_b8(const uint8_t* in_a, const uint8_t* in_b, uint8_t* y, size_t n, int mode) noexcept { \
    loop2_mode(                                                                                                        \
        in_a, in_b, y, n, mode, [](uint8_t byte_a, uint8_t byte_b) __attribute__((always_inline)) {                    \
          const int a = byte_a != 0, b = byte_b != 0;                                                                  \
          return static_cast<uint8_t>(expression);                                                                     \
        });                                                                                                            \
  }
// clang-format off
LN_DEFINE_LOGICAL(and, a & b)
LN_DEFINE_LOGICAL(or, a | b)
LN_DEFINE_LOGICAL(xor, a ^ b)
// clang-format on
#undef LN_DEFINE_LOGICAL

inline void logical_not_b8(const uint8_t* x, uint8_t* y, size_t n) noexcept {
  LN_INDEPENDENT
  for (size_t i = 0; i < n; ++i) y[i] = x[i] == 0;
}

// y = c ? a : b on items of one size. A one-number operand has stride 0; its loop is compiled apart so that it stays in
// a register.
template <class T, bool one_a, bool one_b>
LN_INLINE void select_loop(const uint8_t* c, const T* a, const T* b, T* y, size_t n) {
  const T value_a = one_a ? *a : T(), value_b = one_b ? *b : T();
  LN_INDEPENDENT
  for (size_t i = 0; i < n; ++i) {
    const T if_true = one_a ? value_a : a[i], if_false = one_b ? value_b : b[i];
    y[i] = c[i] != 0 ? if_true : if_false;
  }
}
template <class T>
LN_INLINE void select_items(const uint8_t* c, const void* a, const void* b, void* y, size_t n, int mode_a, int mode_b) {
  if (n == 0) return;
  const T* pa = static_cast<const T*>(a);
  const T* pb = static_cast<const T*>(b);
  T* py = static_cast<T*>(y);
  if (mode_a == 1 && mode_b == 1) return select_loop<T, true, true>(c, pa, pb, py, n);
  if (mode_a == 1) return select_loop<T, true, false>(c, pa, pb, py, n);
  if (mode_b == 1) return select_loop<T, false, true>(c, pa, pb, py, n);
  select_loop<T, false, false>(c, pa, pb, py, n);
}
#define LN_DEFINE_SELECT(bytes, T)                                                                          \
  inline void select_##bytes(const uint8_t* c, const void* a, const void* b, void* y, size_t n, int mode_a, \
                             int mode_b) noexcept {                                                         \
    select_items<T>(c, a, b, y, n, mode_a, mode_b);                                                         \
  }
LN_DEFINE_SELECT(1, uint8_t)
LN_DEFINE_SELECT(2, uint16_t)
LN_DEFINE_SELECT(4, uint32_t)
LN_DEFINE_SELECT(8, uint64_t)
#undef LN_DEFINE_SELECT

LN_END_TARGET
