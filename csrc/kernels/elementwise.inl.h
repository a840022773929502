// Loops that apply a function of vectors to arrays. Tails go through partial loads and stores of the same function, so an
// element's result does not depend on its position or on n. Outputs may be exactly an input.
#pragma once

#include "simd/vec.h"

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

LN_END_TARGET
