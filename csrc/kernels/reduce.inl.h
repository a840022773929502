// y[o, i] = f over r of x[o, r, i]: rows where inner = 1, columns else. r = 0 gives f's neutral value.
#pragma once

#include "elementwise.inl.h"
#include "rows.inl.h"

LN_BEGIN_TARGET

template <class Op, class T>
LN_INLINE void reduce_float(const T* x, T* y, size_t outer, size_t r, size_t inner) {
  if (inner == 1) {
    for (size_t o = 0; o < outer; ++o) {
      const T* row = x + o * r;
      y[o] = fold_row<Op, T>(r, [=](auto place) __attribute__((always_inline)) { return place.load(row); });
    }
    return;
  }
  for (size_t o = 0; o < outer; ++o) {
    const T* from = x + o * r * inner;
    T* to = y + o * inner;
    fold_columns<Op, T>(
        r, inner, [=](auto place, size_t k) __attribute__((always_inline)) { return place.load(from + k * inner); },
        [=](auto place, Vec<T> result) __attribute__((always_inline)) { place.store(result, to); });
  }
}

// Integers and bools: the compiler vectorises both loops.
template <class T, class F>
LN_INLINE void reduce_plain(const T* x, T* y, size_t outer, size_t r, size_t inner, T identity, F f) {
  for (size_t o = 0; o < outer; ++o) {
    const T* from = x + o * r * inner;
    T* to = y + o * inner;
    if (inner == 1) {
      T a = identity;
      for (size_t k = 0; k < r; ++k) a = f(a, from[k]);
      *to = a;
      continue;
    }
    for (size_t i = 0; i < inner; ++i) to[i] = identity;
    for (size_t k = 0; k < r; ++k) {
      const T* row = from + k * inner;
      LN_INDEPENDENT
      for (size_t i = 0; i < inner; ++i) to[i] = f(to[i], row[i]);
    }
  }
}

#define LN_DEFINE_REDUCE_FLOAT(name, Op)                                                                       \
  inline void reduce_##name##_f32(const float* x, float* y, size_t outer, size_t r, size_t inner) noexcept {   \
    reduce_float<Op<float>>(x, y, outer, r, inner);                                                            \
  }                                                                                                            \
  inline void reduce_##name##_f64(const double* x, double* y, size_t outer, size_t r, size_t inner) noexcept { \
    reduce_float<Op<double>>(x, y, outer, r, inner);                                                           \
  }
LN_DEFINE_REDUCE_FLOAT(sum, Sum)
LN_DEFINE_REDUCE_FLOAT(prod, Product)
LN_DEFINE_REDUCE_FLOAT(max, Max)
LN_DEFINE_REDUCE_FLOAT(min, Min)
#undef LN_DEFINE_REDUCE_FLOAT

#define LN_DEFINE_REDUCE_PLAIN(name, T, U, suffix, identity, expression)                                  \
  inline void reduce_##name##_##suffix(const T* x, T* y, size_t outer, size_t r, size_t inner) noexcept { \
    reduce_plain<T>(                                                                                      \
        x, y, outer, r, inner, identity, [](T a, T b) __attribute__((always_inline)) {                    \
          [[maybe_unused]] const U ua = static_cast<U>(a), ub = static_cast<U>(b);                        \
          return static_cast<T>(expression);                                                              \
        });                                                                                               \
  }
// clang-format off
#define LN_DEFINE_REDUCE_INT(T, U, suffix, lowest, highest)                             \
  LN_DEFINE_REDUCE_PLAIN(sum, T, U, suffix, 0, ua + ub)                                 \
  LN_DEFINE_REDUCE_PLAIN(prod, T, U, suffix, 1, ua * ub)                                 \
  LN_DEFINE_REDUCE_PLAIN(max, T, U, suffix, lowest, a < b ? b : a)                      \
  LN_DEFINE_REDUCE_PLAIN(min, T, U, suffix, highest, b < a ? b : a)
// clang-format on
LN_DEFINE_REDUCE_INT(int32_t, uint32_t, i32, INT32_MIN, INT32_MAX)
LN_DEFINE_REDUCE_INT(int64_t, uint64_t, i64, INT64_MIN, INT64_MAX)
LN_DEFINE_REDUCE_PLAIN(any, uint8_t, uint8_t, b8, 0, ua | (ub != 0))
LN_DEFINE_REDUCE_PLAIN(all, uint8_t, uint8_t, b8, 1, ua&(ub != 0))
#undef LN_DEFINE_REDUCE_INT
#undef LN_DEFINE_REDUCE_PLAIN

// --- argmax, argmin: the first of equal elements; a NaN counts as beyond every number, the first NaN wins
// -----------------

struct Greater {
  template <class T>
  static LN_INLINE bool better(T x, T best) {
    return x > best || (x != x && best == best);
  }
  static LN_INLINE float extreme(const float* x, size_t n) {
    return fold_row<Max<float>, float>(n, [=](auto place) __attribute__((always_inline)) { return place.load(x); });
  }
  static LN_INLINE double extreme(const double* x, size_t n) {
    return fold_row<Max<double>, double>(n, [=](auto place) __attribute__((always_inline)) { return place.load(x); });
  }
  template <class T>
  static LN_INLINE T extreme(const T* x, size_t n) {
    T best = x[0];
    for (size_t i = 1; i < n; ++i) best = x[i] > best ? x[i] : best;
    return best;
  }
};
struct Less {
  template <class T>
  static LN_INLINE bool better(T x, T best) {
    return x < best || (x != x && best == best);
  }
  static LN_INLINE float extreme(const float* x, size_t n) {
    return fold_row<Min<float>, float>(n, [=](auto place) __attribute__((always_inline)) { return place.load(x); });
  }
  static LN_INLINE double extreme(const double* x, size_t n) {
    return fold_row<Min<double>, double>(n, [=](auto place) __attribute__((always_inline)) { return place.load(x); });
  }
  template <class T>
  static LN_INLINE T extreme(const T* x, size_t n) {
    T best = x[0];
    for (size_t i = 1; i < n; ++i) best = x[i] < best ? x[i] : best;
    return best;
  }
};

// Two passes, both vectorised: the extreme value, then the first block of 64 elements that contains it.
template <class Order, class T>
LN_INLINE int64_t arg_row(const T* x, size_t n) {
  const T best = Order::extreme(x, n);
  const bool nan = best != best;
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    int found = 0;
    for (size_t j = 0; j < 64; ++j) found |= (x[i + j] == best) | (nan & (x[i + j] != x[i + j]));
    if (found) break;
  }
  for (; i < n; ++i)
    if (x[i] == best || (nan && x[i] != x[i])) return static_cast<int64_t>(i);
  return 0;
}
template <class Order, class T>
LN_INLINE void arg_columns(const T* x, int64_t* y, size_t r, size_t inner) {
  constexpr size_t tile = 64;
  for (size_t i = 0; i < inner; i += tile) {
    const size_t width = inner - i < tile ? inner - i : tile;
    T best[tile];
    for (size_t j = 0; j < width; ++j) {
      best[j] = x[i + j];
      y[i + j] = 0;
    }
    for (size_t k = 1; k < r; ++k) {
      const T* row = x + k * inner + i;
      for (size_t j = 0; j < width; ++j) {
        const bool take = Order::better(row[j], best[j]);
        best[j] = take ? row[j] : best[j];
        y[i + j] = take ? static_cast<int64_t>(k) : y[i + j];
      }
    }
  }
}
template <class Order, class T>
LN_INLINE void arg_reduce(const T* x, int64_t* y, size_t outer, size_t r, size_t inner) {
  if (r == 0) {
    for (size_t i = 0; i < outer * inner; ++i) y[i] = 0;
    return;
  }
  for (size_t o = 0; o < outer; ++o) {
    if (inner == 1)
      y[o] = arg_row<Order>(x + o * r, r);
    else
      arg_columns<Order>(x + o * r * inner, y + o * inner, r, inner);
  }
}
#define LN_DEFINE_ARG(T, suffix)                                                                       \
  inline void argmax_##suffix(const T* x, int64_t* y, size_t outer, size_t r, size_t inner) noexcept { \
    arg_reduce<Greater>(x, y, outer, r, inner);                                                        \
  }                                                                                                    \
  inline void argmin_##suffix(const T* x, int64_t* y, size_t outer, size_t r, size_t inner) noexcept { \
    arg_reduce<Less>(x, y, outer, r, inner);                                                           \
  }
LN_DEFINE_ARG(float, f32)
LN_DEFINE_ARG(double, f64)
LN_DEFINE_ARG(int32_t, i32)
LN_DEFINE_ARG(int64_t, i64)
LN_DEFINE_ARG(int8_t, i8)
LN_DEFINE_ARG(uint8_t, u8)
#undef LN_DEFINE_ARG

LN_END_TARGET
