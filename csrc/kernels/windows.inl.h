// Windows that slide over images [n, in.., c] (WindowDims in kernel_args.h), for convolution, pooling and depthwise
// products. They are walked by lines: the output positions along the last axis, whose windows share what they cover of
// the two axes before. Any range of positions, in the order n, out.., can be walked alone.
#pragma once

#include "kernel_args.h"
#include "rows.inl.h"

LN_BEGIN_TARGET

// Along one axis, the taps [first, end) of a window lie inside x, the first of them on element `from`.
struct Taps {
  size_t first, end, from;
  LN_INLINE size_t count() const { return end - first; }
};
LN_INLINE Taps taps_at(const WindowDims& d, int axis, size_t position) {
  const ptrdiff_t start = static_cast<ptrdiff_t>(position * d.stride[axis]) - static_cast<ptrdiff_t>(d.pad[axis]);
  const ptrdiff_t size = static_cast<ptrdiff_t>(d.in[axis]), step = static_cast<ptrdiff_t>(d.dilation[axis]),
                  count = static_cast<ptrdiff_t>(d.window[axis]);
  if (start >= 0 && start + (count - 1) * step < size) return {0, d.window[axis], static_cast<size_t>(start)};
  const ptrdiff_t low = start >= 0 ? 0 : (-start + step - 1) / step;
  ptrdiff_t high = size <= start ? 0 : (size - start + step - 1) / step;
  if (high > count) high = count;
  if (low >= high) return {0, 0, 0};
  return {static_cast<size_t>(low), static_cast<size_t>(high), static_cast<size_t>(start + low * step)};
}

struct Range {
  size_t first, end;
};
// Positions along an axis at which a tap lies inside x. What the first and the last tap have in common are the
// positions whose whole window does.
LN_INLINE Range positions_of(const WindowDims& d, int axis, size_t tap) {
  const size_t at = tap * d.dilation[axis], pad = d.pad[axis], stride = d.stride[axis];
  Range r;
  r.first = at >= pad ? 0 : (pad - at + stride - 1) / stride;
  r.end = d.in[axis] + pad > at ? (d.in[axis] + pad - at - 1) / stride + 1 : 0;
  if (r.end > d.out[axis]) r.end = d.out[axis];
  if (r.first > r.end) r.first = r.end;
  return r;
}

// Output positions [x0, x1) along the last axis; `row` is the number of the first among all positions.
struct Line {
  size_t image, row, x0, x1;
  Taps z, y;
};

// Calls f(line) for the lines, or parts of lines, that positions first_row .. first_row + rows - 1 consist of.
template <class F>
LN_INLINE void for_each_line(const WindowDims& d, size_t first_row, size_t rows, const F& f) {
  if (rows == 0 || d.out[0] == 0 || d.out[1] == 0 || d.out[2] == 0) return;
  size_t x = first_row % d.out[2], y = first_row / d.out[2];
  size_t z = y / d.out[1] % d.out[0];
  Line line;
  line.image = y / d.out[1] / d.out[0];
  y %= d.out[1];
  line.z = taps_at(d, 0, z);
  const size_t end = first_row + rows;
  for (line.row = first_row; line.row < end;) {
    line.x0 = x;
    line.x1 = d.out[2] - x < end - line.row ? d.out[2] : x + (end - line.row);
    line.y = taps_at(d, 1, y);
    f(static_cast<const Line&>(line));
    line.row += line.x1 - line.x0;
    x = 0;
    if (++y < d.out[1]) continue;
    y = 0;
    if (++z == d.out[0]) {
      z = 0;
      ++line.image;
    }
    line.z = taps_at(d, 0, z);
  }
}
template <class F>
LN_INLINE void for_each_line(const WindowDims& d, const F& f) {
  for_each_line(d, 0, d.n * d.out[0] * d.out[1] * d.out[2], f);
}

// Calls f(tap, pixel) for each row of taps inside x: the number of its first tap, and that of the first pixel of the
// line of x it lies on.
template <class F>
LN_INLINE void for_each_tap_row(const WindowDims& d, const Line& line, const F& f) {
  size_t iz = line.z.from;
  for (size_t kz = line.z.first; kz < line.z.end; ++kz, iz += d.dilation[0]) {
    size_t iy = line.y.from;
    for (size_t ky = line.y.first; ky < line.y.end; ++ky, iy += d.dilation[1])
      f((kz * d.window[1] + ky) * d.window[2], ((line.image * d.in[0] + iz) * d.in[1] + iy) * d.in[2]);
  }
}
// Calls f(tap, pixel) for each tap inside x of the window whose taps along the last axis are `x`.
template <class F>
LN_INLINE void for_each_tap(const WindowDims& d, const Line& line, const Taps& x, const F& f) {
  for_each_tap_row(
      d, line, [&](size_t tap, size_t pixel) __attribute__((always_inline)) {
        size_t ix = pixel + x.from;
        for (size_t kx = x.first; kx < x.end; ++kx, ix += d.dilation[2]) f(tap + kx, ix);
      });
}

// Calls f(place) for the vectors that c channels make up: Whole or Partial of rows.inl.h.
template <class T, class F>
LN_INLINE void for_each_channels(size_t c, const F& f) {
  constexpr size_t size = Vec<T>::size;
  size_t j = 0;
  for (; j + size <= c; j += size) f(Whole<T>{j});
  if (j < c) f(Partial<T>{j, static_cast<int>(c - j)});
}

// Elements of x.
LN_INLINE size_t elements(const WindowDims& d) {
  return d.n * d.in[0] * d.in[1] * d.in[2] * d.c;
}
template <class T>
LN_INLINE void zero_run(T* to, size_t n) {
  if (n != 0) memset(to, 0, n * sizeof(T));
}

LN_END_TARGET
