// Convolution line by line. A row of taps of the kernel meets one run of memory in each window, and the runs of a line
// of windows lie at a constant distance: so a line of output is a sum of matrix products, one for each row of taps,
// whose left operands overlap in x. Nothing is copied but, where windows reach over the ends of lines, the lines of x
// between zeros; im2col copies each as often as there are taps. Rows of taps outside x are left out.
#pragma once

#include <algorithm>

#include "ops/gemm_util.h"
#include "ops/window.h"

namespace layernet {

// What follows from the sizes, apart from the batch.
struct ConvLines {
  std::size_t runs;      // of the kernel: rows of taps, or single taps where taps are apart
  std::size_t depth;     // of a run: its taps times channels
  std::size_t pixels;    // of a line of x, padding included, that a line of windows spans
  bool padded;           // lines are copied between zeros
  std::size_t block;     // lines of output for which they are copied at a time,
  std::size_t lines[2];  // from so many along the first two axes of x

  explicit ConvLines(const kernels::WindowDims& d) noexcept {
    const bool apart = d.dilation[2] != 1;
    runs = d.window[0] * d.window[1] * (apart ? d.window[2] : 1);
    depth = (apart ? 1 : d.window[2]) * d.c;
    pixels = span(d, 2, d.out[2]);
    padded = d.pad[2] > 0 || pixels > d.in[2];
    lines[0] = d.window[0];
    // About 128 kB, which leave room for the kernel in the second-level cache of any CPU.
    constexpr std::size_t kRoom = 32 * 1024;
    const std::size_t fit = kRoom / std::max<std::size_t>(lines[0] * pixels * d.c, 1);
    block = std::min(d.out[1], std::max<std::size_t>(1, fit > span(d, 1, 1) ? (fit - span(d, 1, 1)) / d.stride[1] : 1));
    lines[1] = span(d, 1, block);
  }
  std::size_t room(const kernels::WindowDims& d) const noexcept {
    return padded ? lines[0] * lines[1] * pixels * d.c : 0;
  }
  static std::size_t span(const kernels::WindowDims& d, int axis, std::size_t positions) noexcept {
    return positions == 0 ? 0 : (positions - 1) * d.stride[axis] + (d.window[axis] - 1) * d.dilation[axis] + 1;
  }
};

// Whether it pays. Lines of one or two make products of as many rows, for each of which the kernel is read anew, while
// im2col joins positions of several lines and images. From three on, lines won at every size tried (Zen 4, GFLOP/s,
// counting taps outside x; lines, im2col): 3x3x256 128, 112; 7x7x512 128, 108; 32x32x64 113, 105; 32x32x3 to 16 58, 29.
// Windows far larger than the image would take much room for zeros.
inline bool conv_by_lines(const kernels::WindowDims& d) noexcept {
  for (int i = 0; i < 3; ++i)
    if (ConvLines::span(d, i, 1) > 4 * d.in[i]) return false;
  return d.out[2] >= 3;
}

// Place along an axis of x of a tap of the window at a position; not less than the size when outside.
inline std::size_t tap_place(const kernels::WindowDims& d, int axis, std::size_t position, std::size_t tap) noexcept {
  return position * d.stride[axis] + tap * d.dilation[axis] - d.pad[axis];  // wraps below 0
}

// Calls multiply(g, run) for each product, with the number of the run whose part of the kernel is to be g.b. `base`
// holds bias, activation and whether sums start from the output; the sums of a line start and end with these.
template <class T, class Multiply>
void conv_lines(const kernels::WindowDims& d, const T* x, T* room, const kernels::GemmArgs& base,
                const Multiply& multiply) noexcept {
  const ConvLines l(d);
  const std::size_t line_size = l.pixels * d.c, copied = std::min(d.in[2], l.pixels - d.pad[2]) * d.c;
  const auto slot = [&](std::size_t kz, std::size_t y) { return room + (kz * l.lines[1] + y) * line_size; };
  if (l.padded)
    for (std::size_t i = 0; i < l.lines[0] * l.lines[1]; ++i) {
      T* line = slot(0, i);
      std::fill(line, line + d.pad[2] * d.c, T(0));
      std::fill(line + d.pad[2] * d.c + copied, line + line_size, T(0));
    }
  auto* c = static_cast<T*>(base.c);
  for (std::size_t volume = 0; volume < d.n * d.out[0]; ++volume) {
    const std::size_t image = volume / d.out[0], oz = volume % d.out[0];
    for (std::size_t oy = 0; oy < d.out[1]; ++oy, c += d.out[2] * base.n) {
      const std::size_t top = oy - oy % l.block;  // the first line of this block
      const auto line_at = [&](std::size_t iz, std::size_t iy) {
        return x + ((image * d.in[0] + iz) * d.in[1] + iy) * d.in[2] * d.c;
      };
      if (l.padded && oy == top)
        for (std::size_t kz = 0; kz < d.window[0]; ++kz) {
          const std::size_t iz = tap_place(d, 0, oz, kz);
          for (std::size_t i = 0; iz < d.in[0] && i < l.lines[1]; ++i)
            if (const std::size_t iy = top * d.stride[1] + i - d.pad[1]; iy < d.in[1])
              std::memcpy(slot(kz, i) + d.pad[2] * d.c, line_at(iz, iy), copied * sizeof(T));
        }
      kernels::GemmArgs g = base;
      g.m = d.out[2];
      g.k = 0;
      g.c = c;
      g.rsa = d.stride[2] * d.c;
      g.csa = 1;
      g.activation = kernels::kActNone;
      // One product behind, to know the last one.
      std::size_t waiting = 0;
      for (std::size_t kz = 0; kz < d.window[0]; ++kz)
        for (std::size_t ky = 0; ky < d.window[1]; ++ky) {
          const std::size_t iz = tap_place(d, 0, oz, kz), iy = tap_place(d, 1, oy, ky);
          if (iz >= d.in[0] || iy >= d.in[1]) continue;
          const T* line = l.padded ? slot(kz, (oy - top) * d.stride[1] + ky * d.dilation[1]) : line_at(iz, iy);
          const std::size_t row = kz * d.window[1] + ky, runs = l.runs / (d.window[0] * d.window[1]);
          for (std::size_t run = 0; run < runs; ++run) {
            if (g.k != 0) {
              multiply(g, waiting);
              g.bias = nullptr;
              g.accumulate = 1;
            }
            g.k = l.depth;
            g.a = line + run * d.dilation[2] * d.c;
            waiting = row * runs + run;
          }
        }
      g.activation = base.activation;
      multiply(g, waiting);
    }
  }
}

}  // namespace layernet
