// Pooling over windows of [n, h, w, c] images, vectors running along the channels. Padding takes no part: averages
// divide by the elements really there. A window that holds nothing else gives -inf (max) or 0 (average).
#pragma once

#include "conv.inl.h"

LN_BEGIN_TARGET

// Calls window(x, y, rows, columns) for every output position: the offset of its first element inside the image, that
// of its output, and how many rows and columns of elements it covers.
template <class F>
LN_INLINE void for_each_pool(const PoolDims& p, const F& window) {
  const ConvDims d{p.n, p.h, p.w, p.c, p.kh, p.kw, p.stride_h, p.stride_w, 1, 1, p.pad_top, p.pad_left, p.oh, p.ow};
  const size_t positions = d.n * d.oh * d.ow;
  if (positions == 0 || d.c == 0) return;
  Windows at(d, 0);
  for (size_t r = 0; r < positions; ++r, at.next()) {
    const Window w = at.window();
    size_t rows = w.ky1 - w.ky0, columns = w.kx1 - w.kx0, offset = 0;
    if (rows == 0 || columns == 0) {
      rows = columns = 0;
    } else {
      const size_t iy = static_cast<size_t>(w.top + static_cast<ptrdiff_t>(w.ky0));
      const size_t ix = static_cast<size_t>(w.left + static_cast<ptrdiff_t>(w.kx0));
      offset = ((w.image * d.h + iy) * d.w + ix) * d.c;
    }
    window(offset, r * d.c, rows, columns);
  }
}

template <class T>
struct PoolLoad {
  int count;  // channels of the vector, Vec<T>::size for a whole one
  LN_INLINE Vec<T> load(const T* p) const {
    return count == Vec<T>::size ? Vec<T>::load(p) : Vec<T>::load_partial(p, count);
  }
  LN_INLINE void store(Vec<T> v, T* p) const {
    if (count == Vec<T>::size) {
      v.store(p);
    } else {
      v.store_partial(p, count);
    }
  }
};

template <class T, class F>
LN_INLINE void for_each_channels(size_t c, const F& f) {
  constexpr size_t size = Vec<T>::size;
  for (size_t j = 0; j < c; j += size) f(j, PoolLoad<T>{static_cast<int>(c - j < size ? c - j : size)});
}

// y = maximum of each window, NaN if it holds a NaN.
template <class T>
void max_pool(const T* x, T* y, const PoolDims* p) noexcept {
  const size_t c = p->c, line = p->w * c;
  for_each_pool(
      *p, [&](size_t from, size_t to, size_t rows, size_t columns) __attribute__((always_inline)) {
        for_each_channels<T>(
            c, [&](size_t j, PoolLoad<T> at) __attribute__((always_inline)) {
              Vec<T> best = Vec<T>::set1(-FloatTraits<T>::infinity);
              for (size_t iy = 0; iy < rows; ++iy)
                for (size_t ix = 0; ix < columns; ++ix)
                  best = max_nan(best, at.load(x + from + iy * line + ix * c + j));
              at.store(best, y + to + j);
            });
      });
}

// dx = dy at the first maximum of each window (the first NaN if there is one), added where windows share an element.
template <class T>
void max_pool_grad(const T* x, const T* dy, T* dx, const PoolDims* p) noexcept {
  const size_t c = p->c, line = p->w * c;
  zero_run(dx, p->n * p->h * p->w * c);
  for_each_pool(
      *p, [&](size_t from, size_t to, size_t rows, size_t columns) __attribute__((always_inline)) {
        if (rows == 0) return;
        for_each_channels<T>(
            c, [&](size_t j, PoolLoad<T> at) __attribute__((always_inline)) {
              Vec<T> best = at.load(x + from + j);
              for (size_t iy = 0; iy < rows; ++iy)
                for (size_t ix = 0; ix < columns; ++ix)
                  best = max_nan(best, at.load(x + from + iy * line + ix * c + j));
              // What is not yet given away: becomes 0 at the first element that equals the maximum.
              Vec<T> gradient = at.load(dy + to + j);
              for (size_t iy = 0; iy < rows; ++iy)
                for (size_t ix = 0; ix < columns; ++ix) {
                  const size_t offset = from + iy * line + ix * c + j;
                  const Vec<T> here = at.load(x + offset);
                  const Mask<T> wins = (here == best) | is_nan(here);
                  T* const sum = dx + offset;
                  at.store(at.load(sum) + keep(wins, gradient), sum);
                  gradient = keep(~wins, gradient);
                }
            });
      });
}

template <class T>
void avg_pool(const T* x, T* y, const PoolDims* p) noexcept {
  const size_t c = p->c, line = p->w * c;
  for_each_pool(
      *p, [&](size_t from, size_t to, size_t rows, size_t columns) __attribute__((always_inline)) {
        const Vec<T> count = Vec<T>::set1(static_cast<T>(rows * columns > 0 ? rows * columns : 1));
        for_each_channels<T>(
            c, [&](size_t j, PoolLoad<T> at) __attribute__((always_inline)) {
              Vec<T> sum = Vec<T>::zero();
              for (size_t iy = 0; iy < rows; ++iy)
                for (size_t ix = 0; ix < columns; ++ix) sum = sum + at.load(x + from + iy * line + ix * c + j);
              at.store(sum / count, y + to + j);
            });
      });
}

template <class T>
void avg_pool_grad(const T* dy, T* dx, const PoolDims* p) noexcept {
  const size_t c = p->c, line = p->w * c;
  zero_run(dx, p->n * p->h * p->w * c);
  for_each_pool(
      *p, [&](size_t from, size_t to, size_t rows, size_t columns) __attribute__((always_inline)) {
        if (rows == 0) return;
        const Vec<T> count = Vec<T>::set1(static_cast<T>(rows * columns));
        for_each_channels<T>(
            c, [&](size_t j, PoolLoad<T> at) __attribute__((always_inline)) {
              const Vec<T> share = at.load(dy + to + j) / count;
              for (size_t iy = 0; iy < rows; ++iy)
                for (size_t ix = 0; ix < columns; ++ix) {
                  T* const sum = dx + from + iy * line + ix * c + j;
                  at.store(at.load(sum) + share, sum);
                }
            });
      });
}

#define LN_POOL_KERNELS(suffix, T)                                                          \
  void max_pool_##suffix(const T* x, T* y, const PoolDims* d) noexcept {                    \
    max_pool(x, y, d);                                                                      \
  }                                                                                         \
  void max_pool_grad_##suffix(const T* x, const T* dy, T* dx, const PoolDims* d) noexcept { \
    max_pool_grad(x, dy, dx, d);                                                            \
  }                                                                                         \
  void avg_pool_##suffix(const T* x, T* y, const PoolDims* d) noexcept {                    \
    avg_pool(x, y, d);                                                                      \
  }                                                                                         \
  void avg_pool_grad_##suffix(const T* dy, T* dx, const PoolDims* d) noexcept {             \
    avg_pool_grad(dy, dx, d);                                                               \
  }
LN_POOL_KERNELS(f32, float)
LN_POOL_KERNELS(f64, double)
#undef LN_POOL_KERNELS

LN_END_TARGET
