// Normalisation: moments per channel or per row in two passes (the mean first, so that nothing cancels), scale and
// shift.
#pragma once

#include "rows.inl.h"

LN_BEGIN_TARGET

// y[r, c] = x[r, c] scale[c] + shift[c].
template <class T>
LN_INLINE void scale_shift(const T* x, const T* scale, const T* shift, T* y, size_t rows, size_t c) {
  constexpr size_t size = Vec<T>::size;
  if (c > 0 && c < size && rows >= size) {
    // Few channels: the pattern of c vectors repeats, so rows are treated as one long array.
    T scales[size * size], shifts[size * size];
    for (size_t i = 0; i < c * size; ++i) {
      scales[i] = scale[i % c];
      shifts[i] = shift[i % c];
    }
    const size_t n = rows * c;
    for (size_t i = 0, k = 0; i < n; i += size, k = k + size == c * size ? 0 : k + size) {
      const Vec<T> a = Vec<T>::load(scales + k), b = Vec<T>::load(shifts + k);
      if (n - i >= size) {
        fma(Vec<T>::load(x + i), a, b).store(y + i);
      } else {
        const int rest = static_cast<int>(n - i);
        fma(Vec<T>::load_partial(x + i, rest), a, b).store_partial(y + i, rest);
      }
    }
    return;
  }
  for (size_t i = 0; i < rows; ++i, x += c, y += c)
    map_row(
        c, y, [=](auto place) __attribute__((always_inline)) {
          return fma(place.load(x), place.load(scale), place.load(shift));
        });
}

// Population mean and variance of each of c channels over the rows.
template <class T>
LN_INLINE void moments(const T* x, T* mean, T* var, size_t rows, size_t c) {
  const Vec<T> count = Vec<T>::set1(static_cast<T>(rows));
  fold_columns<Sum<T>, T>(
      rows, c, [=](auto place, size_t k) __attribute__((always_inline)) { return place.load(x + k * c); },
      [=](auto place, Vec<T> sum) __attribute__((always_inline)) { place.store(sum / count, mean); });
  fold_columns<Sum<T>, T>(
      rows, c,
      [=](auto place, size_t k) __attribute__((always_inline)) {
        const Vec<T> d = place.load(x + k * c) - place.load(mean);
        return d * d;
      },
      [=](auto place, Vec<T> sum) __attribute__((always_inline)) { place.store(sum / count, var); });
}

// y = (x - mean) rstd gamma + beta with rstd = 1 / sqrt(variance + eps), each row of n by itself.
template <class T>
LN_INLINE void layer_norm(const T* x, const T* gamma, const T* beta, T* y, T* mean, T* rstd, size_t rows, size_t n,
                          double eps) {
  for (size_t i = 0; i < rows; ++i, x += n, y += n) {
    const T count = static_cast<T>(n);
    const T m =
        fold_row<Sum<T>, T>(n, [=](auto place) __attribute__((always_inline)) { return place.load(x); }) / count;
    const Vec<T> center = Vec<T>::set1(m);
    const T squares = fold_row<Sum<T>, T>(
        n, [=](auto place) __attribute__((always_inline)) {
          const Vec<T> d = place.load(x) - center;
          return d * d;
        });
    const T variance = squares / count + static_cast<T>(eps);
    const T scale = T(1) / (sizeof(T) == 4 ? static_cast<T>(__builtin_sqrtf(static_cast<float>(variance)))
                                           : static_cast<T>(__builtin_sqrt(static_cast<double>(variance))));
    const Vec<T> s = Vec<T>::set1(scale);
    map_row(
        n, y, [=](auto place) __attribute__((always_inline)) {
          Vec<T> v = (place.load(x) - center) * s;
          if (gamma != nullptr) v = v * place.load(gamma);
          return beta != nullptr ? v + place.load(beta) : v;
        });
    if (mean != nullptr) mean[i] = m;
    if (rstd != nullptr) rstd[i] = scale;
  }
}

#define LN_DEFINE_NORM(suffix, T)                                                                                      \
  inline void scale_shift_##suffix(const T* x, const T* scale, const T* shift, T* y, size_t rows, size_t c) noexcept { \
    scale_shift(x, scale, shift, y, rows, c);                                                                          \
  }                                                                                                                    \
  inline void moments_##suffix(const T* x, T* mean, T* var, size_t rows, size_t c) noexcept {                          \
    moments(x, mean, var, rows, c);                                                                                    \
  }                                                                                                                    \
  inline void layer_norm_##suffix(const T* x, const T* gamma, const T* beta, T* y, T* mean, T* rstd, size_t rows,      \
                                  size_t n, double eps) noexcept {                                                     \
    layer_norm(x, gamma, beta, y, mean, rstd, rows, n, eps);                                                           \
  }
LN_DEFINE_NORM(f32, float)
LN_DEFINE_NORM(f64, double)
#undef LN_DEFINE_NORM

LN_END_TARGET
