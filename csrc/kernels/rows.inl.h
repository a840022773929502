// Folding a row of terms into one number: the common part of reductions, softmax and normalisation.
// The order of additions depends on the row's length and the instruction set only. A sum is cut into blocks of
// 4 accumulators x 32 vectors, and the blocks' sums are added pairwise like the digits of a binary counter, so that its
// error grows with 32 + log2(n / block) instead of n (Higham 1993).
#pragma once

#include "simd/vec.h"

LN_BEGIN_TARGET

template <class T>
struct Sum {
  static LN_INLINE T identity() { return T(0); }
  static LN_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return a + b; }
  static LN_INLINE T lanes(Vec<T> a) { return reduce_add(a); }
};
template <class T>
struct Product {
  static LN_INLINE T identity() { return T(1); }
  static LN_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return a * b; }
  static LN_INLINE T lanes(Vec<T> a) {
    T x[Vec<T>::size];
    a.store(x);
    for (int step = Vec<T>::size / 2; step > 0; step /= 2)
      for (int i = 0; i < step; ++i) x[i] *= x[i + step];
    return x[0];
  }
};
template <class T>
struct Max {
  static LN_INLINE T identity() { return -FloatTraits<T>::infinity; }
  static LN_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return max_nan(a, b); }
  static LN_INLINE T lanes(Vec<T> a) { return reduce_max(a); }
};
template <class T>
struct Min {
  static LN_INLINE T identity() { return FloatTraits<T>::infinity; }
  static LN_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return min_nan(a, b); }
  static LN_INLINE T lanes(Vec<T> a) { return reduce_min(a); }
};

// Where a term reads and writes: a whole vector at i, or the last `rest` elements.
template <class T>
struct Whole {
  size_t i;
  LN_INLINE Vec<T> load(const T* p) const { return Vec<T>::load(p + i); }
  LN_INLINE void store(Vec<T> v, T* p) const { v.store(p + i); }
};
template <class T>
struct Partial {
  size_t i;
  int rest;
  LN_INLINE Vec<T> load(const T* p) const { return Vec<T>::load_partial(p + i, rest); }
  LN_INLINE void store(Vec<T> v, T* p) const { v.store_partial(p + i, rest); }
};

// The partial results of blocks; level k holds the result of 2^k blocks where bit k of the count is set.
template <class Op, class T, int width>
struct Cascade {
  Vec<T> level[48][width];
  uint64_t count = 0;
  LN_INLINE void add(const Vec<T>* block) {
    Vec<T> carry[width];
    for (int j = 0; j < width; ++j) carry[j] = block[j];
    int k = 0;
    for (; count >> k & 1; ++k)
      for (int j = 0; j < width; ++j) carry[j] = Op::combine(level[k][j], carry[j]);
    for (int j = 0; j < width; ++j) level[k][j] = carry[j];
    ++count;
  }
  // Combines the last, possibly shorter block with all before it.
  LN_INLINE void finish(Vec<T>* last) const {
    for (int k = 0; count >> k; ++k)
      if (count >> k & 1)
        for (int j = 0; j < width; ++j) last[j] = Op::combine(level[k][j], last[j]);
  }
};

// Op over term(place) for the n elements of a row; term gets a Whole or Partial and may store as well.
template <class Op, class T, class F>
LN_INLINE T fold_row(size_t n, F term) {
  constexpr size_t size = Vec<T>::size, block = 4 * 32 * size;
  const Vec<T> identity = Vec<T>::set1(Op::identity());
  size_t i = 0;
  Cascade<Op, T, 1> cascade;
  while (n - i >= 2 * block) {
    Vec<T> a[4] = {identity, identity, identity, identity};
    for (const size_t end = i + block; i < end; i += 4 * size)
      for (size_t j = 0; j < 4; ++j) a[j] = Op::combine(a[j], term(Whole<T>{i + j * size}));
    const Vec<T> sum = Op::combine(Op::combine(a[0], a[1]), Op::combine(a[2], a[3]));
    cascade.add(&sum);
  }
  Vec<T> last = identity;
  if (n - i >= 4 * size) {
    Vec<T> a[4] = {identity, identity, identity, identity};
    for (; i + 4 * size <= n; i += 4 * size)
      for (size_t j = 0; j < 4; ++j) a[j] = Op::combine(a[j], term(Whole<T>{i + j * size}));
    last = Op::combine(Op::combine(a[0], a[1]), Op::combine(a[2], a[3]));
  }
  for (; i + size <= n; i += size) last = Op::combine(last, term(Whole<T>{i}));
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    last = Op::combine(last, select(first_lanes<T>(rest), term(Partial<T>{i, rest}), identity));
  }
  if (cascade.count > 0) cascade.finish(&last);
  return Op::lanes(last);
}

// y = f(place) for the n elements of a row.
template <class T, class F>
LN_INLINE void map_row(size_t n, T* y, F f) {
  constexpr size_t size = Vec<T>::size;
  size_t i = 0;
  for (; i + size <= n; i += size) f(Whole<T>{i}).store(y + i);
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    f(Partial<T>{i, rest}).store_partial(y + i, rest);
  }
}

// y[i] = Op over k of term(place, k) for `width` vectors of columns at once; the r terms of a column are cut into
// blocks of 32.
template <class Op, class T, int width, class Place, class F, class G>
LN_INLINE void fold_columns_at(const Place (&place)[width], size_t r, F term, G write) {
  const Vec<T> identity = Vec<T>::set1(Op::identity());
  Cascade<Op, T, width> cascade;
  Vec<T> a[width];
  size_t k = 0;
  for (;;) {
    for (int j = 0; j < width; ++j) a[j] = identity;
    const size_t end = r - k >= 64 ? k + 32 : r;
    for (; k < end; ++k)
      for (int j = 0; j < width; ++j) a[j] = Op::combine(a[j], term(place[j], k));
    if (k == r) break;
    cascade.add(a);
  }
  if (cascade.count > 0) cascade.finish(a);
  for (int j = 0; j < width; ++j) write(place[j], a[j]);
}
// For all of `inner` columns: write(place, result) where result = Op over k < r of term(place, k).
template <class Op, class T, class F, class G>
LN_INLINE void fold_columns(size_t r, size_t inner, F term, G write) {
  constexpr size_t size = Vec<T>::size;
  size_t i = 0;
  for (; i + 4 * size <= inner; i += 4 * size) {
    const Whole<T> places[4] = {{i}, {i + size}, {i + 2 * size}, {i + 3 * size}};
    fold_columns_at<Op, T, 4>(places, r, term, write);
  }
  for (; i + size <= inner; i += size) {
    const Whole<T> places[1] = {{i}};
    fold_columns_at<Op, T, 1>(places, r, term, write);
  }
  if (i < inner) {
    const Partial<T> places[1] = {{i, static_cast<int>(inner - i)}};
    fold_columns_at<Op, T, 1>(places, r, term, write);
  }
}

LN_END_TARGET
