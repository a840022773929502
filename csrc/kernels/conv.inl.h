// Convolution as a matrix product: rows of a matrix from the windows of an image and back. Rows are output positions in
// the order n, oh, ow; a row is [kh, kw, c]. Any range of rows can be made alone, so that the matrix needs no more room
// than the cache gives it.
#pragma once

#include "kernel_args.h"
#include "simd/vec.h"

LN_BEGIN_TARGET

// The window of one output position: what part of it lies in the image.
struct Window {
  size_t image;               // index of the image
  ptrdiff_t top, left;        // of the window in the image, may be negative
  size_t ky0, ky1, kx0, kx1;  // kernel rows and columns inside the image
};

// First and one-past-last step s of `count` with 0 <= start + s * dilation < size.
LN_INLINE void clip_steps(ptrdiff_t start, size_t count, size_t dilation, size_t size, size_t* first, size_t* end) {
  const ptrdiff_t d = static_cast<ptrdiff_t>(dilation), n = static_cast<ptrdiff_t>(count);
  ptrdiff_t low = start >= 0 ? 0 : (-start + d - 1) / d;
  ptrdiff_t high = static_cast<ptrdiff_t>(size) <= start ? 0 : (static_cast<ptrdiff_t>(size) - start + d - 1) / d;
  if (high > n) high = n;
  if (low > high) low = high;
  *first = static_cast<size_t>(low);
  *end = static_cast<size_t>(high);
}

// Walks the output positions first_row, first_row + 1, ...
class Windows {
 public:
  Windows(const ConvDims& d, size_t row) : d_(d) {
    x_ = row % d.ow;
    y_ = row / d.ow % d.oh;
    image_ = row / d.ow / d.oh;
    enter_row();
  }
  Window window() const {
    Window w;
    w.image = image_;
    w.top = top_;
    w.ky0 = ky0_;
    w.ky1 = ky1_;
    w.left = static_cast<ptrdiff_t>(x_ * d_.stride_w) - static_cast<ptrdiff_t>(d_.pad_left);
    clip_steps(w.left, d_.kw, d_.dilation_w, d_.w, &w.kx0, &w.kx1);
    return w;
  }
  void next() {
    if (++x_ < d_.ow) return;
    x_ = 0;
    if (++y_ == d_.oh) {
      y_ = 0;
      ++image_;
    }
    enter_row();
  }

 private:
  void enter_row() {
    top_ = static_cast<ptrdiff_t>(y_ * d_.stride_h) - static_cast<ptrdiff_t>(d_.pad_top);
    clip_steps(top_, d_.kh, d_.dilation_h, d_.h, &ky0_, &ky1_);
  }
  const ConvDims& d_;
  size_t x_, y_, image_;
  ptrdiff_t top_;
  size_t ky0_, ky1_;
};

template <class T>
LN_INLINE void copy_run(const T* from, T* to, size_t n) {
  constexpr size_t size = Vec<T>::size;
  size_t i = 0;
  for (; i + size <= n; i += size) Vec<T>::load(from + i).store(to + i);
  if (i < n) Vec<T>::load_partial(from + i, static_cast<int>(n - i)).store_partial(to + i, static_cast<int>(n - i));
}
template <class T>
LN_INLINE void zero_run(T* to, size_t n) {
  if (n != 0) memset(to, 0, n * sizeof(T));
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

// col[rows, kh * kw * c] from x; taps in the padding are 0. Without dilation a kernel row is one run of memory.
template <class T>
void im2col(const T* x, T* col, const ConvDims* dims, size_t first_row, size_t rows) noexcept {
  const ConvDims& d = *dims;
  if (rows == 0 || d.ow == 0 || d.oh == 0) return;
  const size_t c = d.c, line = d.kw * c;
  Windows at(d, first_row);
  for (size_t r = 0; r < rows; ++r, at.next()) {
    const Window w = at.window();
    T* to = col + r * d.kh * line;
    zero_run(to, w.ky0 * line);
    for (size_t ky = w.ky0; ky < w.ky1; ++ky) {
      T* row = to + ky * line;
      zero_run(row, w.kx0 * c);
      zero_run(row + w.kx1 * c, (d.kw - w.kx1) * c);
      if (w.kx0 == w.kx1) continue;
      const size_t iy = static_cast<size_t>(w.top + static_cast<ptrdiff_t>(ky * d.dilation_h));
      const size_t ix = static_cast<size_t>(w.left + static_cast<ptrdiff_t>(w.kx0 * d.dilation_w));
      const T* from = x + ((w.image * d.h + iy) * d.w + ix) * c;
      if (d.dilation_w == 1) {
        copy_run(from, row + w.kx0 * c, (w.kx1 - w.kx0) * c);
      } else {
        for (size_t kx = w.kx0; kx < w.kx1; ++kx, from += d.dilation_w * c) copy_run(from, row + kx * c, c);
      }
    }
    zero_run(to + w.ky1 * line, (d.kh - w.ky1) * line);
  }
}

// x += the transpose of im2col. Windows overlap: ranges of rows of one image must be added one after the other.
template <class T>
void col2im(const T* col, T* x, const ConvDims* dims, size_t first_row, size_t rows) noexcept {
  const ConvDims& d = *dims;
  if (rows == 0 || d.ow == 0 || d.oh == 0) return;
  const size_t c = d.c, line = d.kw * c;
  Windows at(d, first_row);
  for (size_t r = 0; r < rows; ++r, at.next()) {
    const Window w = at.window();
    if (w.kx0 == w.kx1) continue;
    for (size_t ky = w.ky0; ky < w.ky1; ++ky) {
      const T* from = col + (r * d.kh + ky) * line + w.kx0 * c;
      const size_t iy = static_cast<size_t>(w.top + static_cast<ptrdiff_t>(ky * d.dilation_h));
      const size_t ix = static_cast<size_t>(w.left + static_cast<ptrdiff_t>(w.kx0 * d.dilation_w));
      T* to = x + ((w.image * d.h + iy) * d.w + ix) * c;
      if (d.dilation_w == 1) {
        add_run(from, to, (w.kx1 - w.kx0) * c);
      } else {
        for (size_t kx = w.kx0; kx < w.kx1; ++kx, from += c, to += d.dilation_w * c) add_run(from, to, c);
      }
    }
  }
}

#define LN_CONV_KERNELS(suffix, T)                                                                      \
  void im2col_##suffix(const T* x, T* col, const ConvDims* d, size_t first_row, size_t rows) noexcept { \
    im2col(x, col, d, first_row, rows);                                                                 \
  }                                                                                                     \
  void col2im_##suffix(const T* col, T* x, const ConvDims* d, size_t first_row, size_t rows) noexcept { \
    col2im(col, x, d, first_row, rows);                                                                 \
  }
LN_CONV_KERNELS(f32, float)
LN_CONV_KERNELS(f64, double)
#undef LN_CONV_KERNELS

LN_END_TARGET
