// Convolution as a matrix product: rows of a matrix from the windows of an image and back. Rows are output positions in
// the order n, out..; a row is [window.., c]. Any range of rows can be made alone, so that the matrix needs no more
// room than the cache gives it.
#pragma once

#include "windows.inl.h"

LN_BEGIN_TARGET

template <class T>
LN_INLINE void copy_run(const T* from, T* to, size_t n) {
  constexpr size_t size = Vec<T>::size;
  size_t i = 0;
  for (; i + size <= n; i += size) Vec<T>::load(from + i).store(to + i);
  if (i < n) Vec<T>::load_partial(from + i, static_cast<int>(n - i)).store_partial(to + i, static_cast<int>(n - i));
}
template <class T>
LN_INLINE void add_run(const T* from, T* to, size_t n) {
  constexpr size_t size = Vec<T>::size;
  size_t i = 0;
  for (; i + size <= n; i += size) (Vec<T>::load(to + i) + Vec<T>::load(from + i)).store(to + i);
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    (Vec<T>::load_partial(to + i, rest) + Vec<T>::load_partial(from + i, rest)).store_partial(to + i, rest);
  }
}

// Calls f(in x, in the row, n) for the runs of memory that a row of the matrix and x share: rows of taps, or single
// taps when these are apart.
template <class F>
LN_INLINE void for_each_run(const WindowDims& d, const Line& line, const Taps& x, const F& f) {
  if (d.dilation[2] == 1) {
    const size_t n = x.count() * d.c;
    if (n == 0) return;
    for_each_tap_row(
        d, line, [&](size_t tap, size_t pixel) __attribute__((always_inline)) {
          f((pixel + x.from) * d.c, (tap + x.first) * d.c, n);
        });
  } else {
    for_each_tap(
        d, line, x, [&](size_t tap, size_t pixel) __attribute__((always_inline)) { f(pixel * d.c, tap * d.c, d.c); });
  }
}
LN_INLINE size_t row_size(const WindowDims& d) {
  return d.window[0] * d.window[1] * d.window[2] * d.c;
}

// col[rows, window.. * c] from x; taps in the padding are 0.
template <class T>
void im2col(const T* x, T* col, const WindowDims* dims, size_t first_row, size_t rows) noexcept {
  const WindowDims& d = *dims;
  const size_t size = row_size(d);
  for_each_line(
      d, first_row, rows, [&](const Line& line) __attribute__((always_inline)) {
        const bool whole = line.z.count() == d.window[0] && line.y.count() == d.window[1];
        for (size_t ox = line.x0; ox < line.x1; ++ox, col += size) {
          const Taps taps = taps_at(d, 2, ox);
          if (!whole || taps.count() < d.window[2]) zero_run(col, size);
          for_each_run(
              d, line, taps, [&](size_t from, size_t to, size_t n) __attribute__((always_inline)) {
                copy_run(x + from, col + to, n);
              });
        }
      });
}

// x += the transpose of im2col. Windows overlap: ranges of rows of one image must be added one after the other.
template <class T>
void col2im(const T* col, T* x, const WindowDims* dims, size_t first_row, size_t rows) noexcept {
  const WindowDims& d = *dims;
  const size_t size = row_size(d);
  for_each_line(
      d, first_row, rows, [&](const Line& line) __attribute__((always_inline)) {
        for (size_t ox = line.x0; ox < line.x1; ++ox, col += size)
          for_each_run(
              d, line, taps_at(d, 2, ox), [&](size_t to, size_t from, size_t n) __attribute__((always_inline)) {
                add_run(col + from, x + to, n);
              });
      });
}

#define LN_CONV_KERNELS(suffix, T)                                                                        \
  void im2col_##suffix(const T* x, T* col, const WindowDims* d, size_t first_row, size_t rows) noexcept { \
    im2col(x, col, d, first_row, rows);                                                                   \
  }                                                                                                       \
  void col2im_##suffix(const T* col, T* x, const WindowDims* d, size_t first_row, size_t rows) noexcept { \
    col2im(col, x, d, first_row, rows);                                                                   \
  }
LN_CONV_KERNELS(f32, float)
LN_CONV_KERNELS(f64, double)
#undef LN_CONV_KERNELS

LN_END_TARGET
