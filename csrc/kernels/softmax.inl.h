// Softmax and its relatives over rows of n. The row's maximum is subtracted first, so nothing overflows.
#pragma once

#include "math.inl.h"
#include "rows.inl.h"

LN_BEGIN_TARGET

#define LN_ROW_LAMBDA(...)                         \
  [=](auto place) __attribute__((always_inline)) { \
    __VA_ARGS__                                    \
  }

template <class T>
LN_INLINE T row_max(const T* x, size_t n) {
  return fold_row<Max<T>, T>(n, LN_ROW_LAMBDA(return place.load(x);));
}
// Sum of exp(x - shift).
template <class T>
LN_INLINE T row_sum_exp(const T* x, size_t n, Vec<T> shift) {
  return fold_row<Sum<T>, T>(n, LN_ROW_LAMBDA(return exp(place.load(x) - shift);));
}
LN_INLINE float log_of(float x) {
  return reduce_add(keep(first_lanes<float>(1), log(Vec<float>::set1(x))));
}
LN_INLINE double log_of(double x) {
  return reduce_add(keep(first_lanes<double>(1), log(Vec<double>::set1(x))));
}

template <class T>
LN_INLINE void softmax(const T* x, T* y, size_t rows, size_t n) {
  for (size_t i = 0; i < rows; ++i, x += n, y += n) {
    const Vec<T> m = Vec<T>::set1(row_max(x, n));
    const T sum =
        fold_row<Sum<T>, T>(n, LN_ROW_LAMBDA(const Vec<T> e = exp(place.load(x) - m); place.store(e, y); return e;));
    const Vec<T> total = Vec<T>::set1(sum);
    map_row(n, y, LN_ROW_LAMBDA(return place.load(y) / total;));
  }
}
template <class T>
LN_INLINE void log_softmax(const T* x, T* y, size_t rows, size_t n) {
  for (size_t i = 0; i < rows; ++i, x += n, y += n) {
    const Vec<T> m = Vec<T>::set1(row_max(x, n));
    const Vec<T> log_sum = Vec<T>::set1(log_of(row_sum_exp(x, n, m)));
    map_row(n, y, LN_ROW_LAMBDA(return (place.load(x) - m) - log_sum;));
  }
}
// dx = (dy - sum(dy y)) y
template <class T>
LN_INLINE void softmax_grad(const T* dy, const T* y, T* dx, size_t rows, size_t n) {
  for (size_t i = 0; i < rows; ++i, dy += n, y += n, dx += n) {
    const Vec<T> dot = Vec<T>::set1(fold_row<Sum<T>, T>(n, LN_ROW_LAMBDA(return place.load(dy) * place.load(y);)));
    map_row(n, dx, LN_ROW_LAMBDA(return (place.load(dy) - dot) * place.load(y);));
  }
}
// dx = dy - exp(y) sum(dy)
template <class T>
LN_INLINE void log_softmax_grad(const T* dy, const T* y, T* dx, size_t rows, size_t n) {
  for (size_t i = 0; i < rows; ++i, dy += n, y += n, dx += n) {
    const Vec<T> sum = Vec<T>::set1(fold_row<Sum<T>, T>(n, LN_ROW_LAMBDA(return place.load(dy);)));
    map_row(n, dx, LN_ROW_LAMBDA(return fnma(exp(place.load(y)), sum, place.load(dy));));
  }
}
// An infinite maximum is the result itself: a row of -inf gives -inf, not NaN. So does an empty row.
template <class T>
LN_INLINE void logsumexp(const T* x, T* y, size_t rows, size_t n) {
  for (size_t i = 0; i < rows; ++i, x += n) {
    const T m = row_max(x, n);
    const bool infinite = m == FloatTraits<T>::infinity || m == -FloatTraits<T>::infinity;
    y[i] = infinite ? m : m + log_of(row_sum_exp(x, n, Vec<T>::set1(m)));
  }
}
// loss = -sum(labels log_softmax(logits)), a label of 0 adding nothing; dlogits = softmax(logits) sum(labels) - labels.
template <class T>
LN_INLINE void softmax_xent(const T* logits, const T* labels, T* loss, T* dlogits, size_t rows, size_t n) {
  for (size_t i = 0; i < rows; ++i, logits += n, labels += n) {
    const Vec<T> m = Vec<T>::set1(row_max(logits, n));
    const T sum = row_sum_exp(logits, n, m);
    const Vec<T> log_sum = Vec<T>::set1(log_of(sum));
    loss[i] = fold_row<Sum<T>, T>(n, LN_ROW_LAMBDA(const Vec<T> label = place.load(labels);
                                                   const Vec<T> product = label * (log_sum - (place.load(logits) - m));
                                                   return select(label == Vec<T>::zero(), Vec<T>::zero(), product);));
    if (dlogits != nullptr) {
      const T weight = fold_row<Sum<T>, T>(n, LN_ROW_LAMBDA(return place.load(labels);));
      const Vec<T> scale = Vec<T>::set1(weight / sum);
      map_row(n, dlogits, LN_ROW_LAMBDA(return fms(exp(place.load(logits) - m), scale, place.load(labels));));
      dlogits += n;
    }
  }
}
// labels are class numbers; one outside [0, n) gives NaN.
template <class T>
LN_INLINE void sparse_softmax_xent(const T* logits, const int64_t* labels, T* loss, T* dlogits, size_t rows, size_t n) {
  for (size_t i = 0; i < rows; ++i, logits += n) {
    const bool valid = labels[i] >= 0 && static_cast<uint64_t>(labels[i]) < n;
    const T nan = static_cast<T>(__builtin_nan(""));
    const T m = row_max(logits, n);
    const T sum = row_sum_exp(logits, n, Vec<T>::set1(m));
    const T target = valid ? logits[labels[i]] : nan;
    loss[i] = log_of(sum) - (target - m);
    if (dlogits != nullptr) {
      const Vec<T> shift = Vec<T>::set1(m), total = Vec<T>::set1(valid ? sum : nan);
      map_row(n, dlogits, LN_ROW_LAMBDA(return exp(place.load(logits) - shift) / total;));
      if (valid) dlogits[labels[i]] -= T(1);
      dlogits += n;
    }
  }
}
#undef LN_ROW_LAMBDA

#define LN_DEFINE_SOFTMAX(suffix, T)                                                                                 \
  inline void softmax_##suffix(const T* x, T* y, size_t rows, size_t n) noexcept {                                   \
    softmax(x, y, rows, n);                                                                                          \
  }                                                                                                                  \
  inline void log_softmax_##suffix(const T* x, T* y, size_t rows, size_t n) noexcept {                               \
    log_softmax(x, y, rows, n);                                                                                      \
  }                                                                                                                  \
  inline void softmax_grad_##suffix(const T* dy, const T* y, T* dx, size_t rows, size_t n) noexcept {                \
    softmax_grad(dy, y, dx, rows, n);                                                                                \
  }                                                                                                                  \
  inline void log_softmax_grad_##suffix(const T* dy, const T* y, T* dx, size_t rows, size_t n) noexcept {            \
    log_softmax_grad(dy, y, dx, rows, n);                                                                            \
  }                                                                                                                  \
  inline void logsumexp_##suffix(const T* x, T* y, size_t rows, size_t n) noexcept {                                 \
    logsumexp(x, y, rows, n);                                                                                        \
  }                                                                                                                  \
  inline void softmax_xent_##suffix(const T* logits, const T* labels, T* loss, T* dlogits, size_t rows,              \
                                    size_t n) noexcept {                                                             \
    softmax_xent(logits, labels, loss, dlogits, rows, n);                                                            \
  }                                                                                                                  \
  inline void sparse_softmax_xent_##suffix(const T* logits, const int64_t* labels, T* loss, T* dlogits, size_t rows, \
                                           size_t n) noexcept {                                                      \
    sparse_softmax_xent(logits, labels, loss, dlogits, rows, n);                                                     \
  }
LN_DEFINE_SOFTMAX(f32, float)
LN_DEFINE_SOFTMAX(f64, double)
#undef LN_DEFINE_SOFTMAX

LN_END_TARGET
