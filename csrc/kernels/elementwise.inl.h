// Loops that apply a function of vectors to arrays. Tails go through partial loads and stores of the same function, so
// an element's result does not depend on its position or on n. Outputs may be exactly an input.
#pragma once

#include "simd/vec.h"
#include "unroll.inl.h"

LN_BEGIN_TARGET

// y = f(x). `unroll` vectors at a time: 4 for a few instructions, which are then bound by memory; 1 where f itself has
// enough independent work.
template <int unroll, class T, class F>
LN_INLINE void map(const T* x, T* y, size_t n, F f) {
  constexpr size_t size = Vec<T>::size;
  size_t i = 0;
  if (unroll > 1) {
    for (; i + unroll * size <= n; i += unroll * size) {
      Vec<T> v[unroll];
      for (int j = 0; j < unroll; ++j) v[j] = f(Vec<T>::load(x + i + j * size));
      for (int j = 0; j < unroll; ++j) v[j].store(y + i + j * size);
    }
  }
  for (; i + size <= n; i += size) f(Vec<T>::load(x + i)).store(y + i);
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    f(Vec<T>::load_partial(x + i, rest)).store_partial(y + i, rest);
  }
}

// The same for an f that changes `count` vectors in step.
template <int count, class T, class F>
LN_INLINE void map_in_step(const T* x, T* y, size_t n, F f) {
  constexpr size_t size = Vec<T>::size;
  size_t i = 0;
  for (; i + count * size <= n; i += count * size) {
    Vec<T> v[count];
    unroll<count>(LN_EACH(j) { v[j] = Vec<T>::load(x + i + j * size); });
    f(v);
    unroll<count>(LN_EACH(j) { v[j].store(y + i + j * size); });
  }
  map<1>(
      x + i, y + i, n - i, [=](Vec<T> v) __attribute__((always_inline)) {
        Vec<T> one[1] = {v};
        f(one);
        return one[0];
      });
}

// y = f(a, b), both arrays.
template <int unroll, class T, class F>
LN_INLINE void map2(const T* a, const T* b, T* y, size_t n, F f) {
  constexpr size_t size = Vec<T>::size;
  size_t i = 0;
  if (unroll > 1) {
    for (; i + unroll * size <= n; i += unroll * size) {
      Vec<T> v[unroll];
      for (int j = 0; j < unroll; ++j) v[j] = f(Vec<T>::load(a + i + j * size), Vec<T>::load(b + i + j * size));
      for (int j = 0; j < unroll; ++j) v[j].store(y + i + j * size);
    }
  }
  for (; i + size <= n; i += size) f(Vec<T>::load(a + i), Vec<T>::load(b + i)).store(y + i);
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    f(Vec<T>::load_partial(a + i, rest), Vec<T>::load_partial(b + i, rest)).store_partial(y + i, rest);
  }
}

// The three modes of binary kernels: 0 both operands are arrays, 1 a is one number, 2 b is one number.
template <int unroll, class T, class F>
LN_INLINE void map2_mode(const T* a, const T* b, T* y, size_t n, int mode, F f) {
  if (n == 0) return;
  if (mode == 1) {
    const Vec<T> value = Vec<T>::set1(*a);
    map<unroll>(b, y, n, [=](Vec<T> v) __attribute__((always_inline)) { return f(value, v); });
  } else if (mode == 2) {
    const Vec<T> value = Vec<T>::set1(*b);
    map<unroll>(a, y, n, [=](Vec<T> v) __attribute__((always_inline)) { return f(v, value); });
  } else {
    map2<unroll>(a, b, y, n, f);
  }
}

// Iterations are independent although an output may be an input: without this the compiler's overlap test would send
// in-place calls through an unvectorised loop.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"  // a few loops, such as integer division, do not vectorise
#define LN_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define LN_INDEPENDENT _Pragma("GCC ivdep")
#endif

// The same modes for plain loops over numbers, which the compiler vectorises.
template <class T, class R, class F>
LN_INLINE void loop2_mode(const T* a, const T* b, R* y, size_t n, int mode, F f) {
  if (n == 0) return;
  if (mode == 1) {
    const T value = *a;
    LN_INDEPENDENT
    for (size_t i = 0; i < n; ++i) y[i] = f(value, b[i]);
  } else if (mode == 2) {
    const T value = *b;
    LN_INDEPENDENT
    for (size_t i = 0; i < n; ++i) y[i] = f(a[i], value);
  } else {
    LN_INDEPENDENT
    for (size_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  }
}

LN_END_TARGET
