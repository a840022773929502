// Windows that slide over images, for convolution and pooling: attributes, output sizes, padding. Arrays are
// [n, spatial.., c] with one to three spatial axes.
#pragma once

#include <limits>

#include "kernels/kernel_args.h"
#include "ops/kernel_pick.h"

namespace layernet {

enum Padding : int { kPaddingValid = 0, kPaddingSame = 1 };
constexpr const char* kPaddings[2] = {"valid", "same"};

// What a window does along each of three axes; fewer axes are the last ones, as in kernels::WindowDims.
struct WindowParams {
  std::int64_t size[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1};
  int padding = kPaddingValid;
  std::int64_t span(std::size_t k) const noexcept { return (size[k] - 1) * dilation[k] + 1; }
};

inline const char* axes_word(std::size_t spatial) noexcept {
  return spatial == 1 ? " spatial axis" : " spatial axes";
}

inline void expect_image(const char* who, const Shape& x) {
  if (x.size() < 3 || x.size() > 5) fail_shape(who, "inputs of rank 3, 4 or 5", join("shape ", x));
}

// One positive number per spatial axis, or none for ones; written to the last places of out[3].
inline void read_steps(const char* who, const char* what, const Ints& given, std::size_t spatial, std::int64_t* out) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();  // keeps products of sizes within 64 bits
  if (given.empty()) return;
  if (given.size() != spatial)
    throw InvalidArgumentError(
        join(who, ": expected ", what, " for ", spatial, axes_word(spatial), ", got ", given, "."));
  for (std::size_t i = 0; i < spatial; ++i) {
    if (given[i] < 1 || given[i] > kMost)
      throw InvalidArgumentError(join(who, ": expected ", what, " from 1 to ", kMost, ", got ", given, "."));
    out[3 - spatial + i] = given[i];
  }
}

// The number of windows along an axis of size `in`, a window spanning `span` elements.
inline Dim window_count(const char* who, const Shape& x, std::size_t axis, std::int64_t span, std::int64_t stride,
                        int padding) {
  const Dim in = x[axis];
  if (in.is_unknown()) return in;
  if (in.is_batch())
    throw GraphError(join(who, ": expected spatial sizes that are integers, got shape ", x,
                          ". Give Input() every size but the first."));
  if (padding == kPaddingSame) return Dim(in.value() == 0 ? 0 : (in.value() - 1) / stride + 1);
  if (in.value() < span)
    throw ShapeError(join(who, ": expected at least ", span, " elements along axis ", axis,
                          " for a window of that span, got shape ", x, ". Use padding='same' or a smaller window."));
  return Dim((in.value() - span) / stride + 1);
}

// x with the number of windows in place of each spatial size.
inline Shape windowed(const char* who, const Shape& x, const WindowParams& p) {
  Shape out = x;
  for (std::size_t i = 1; i + 1 < x.size(); ++i) {
    const std::size_t k = i + 4 - x.size();
    out[i] = window_count(who, x, i, p.span(k), p.stride[k], p.padding);
  }
  return out;
}

// Elements of padding before the first window: half of what is needed, the odd one goes to the end.
inline std::size_t pad_before(std::int64_t in, std::int64_t out, std::int64_t span, std::int64_t stride,
                              int padding) noexcept {
  if (padding == kPaddingValid || out == 0) return 0;
  const std::int64_t total = (out - 1) * stride + span - in;
  return total > 0 ? static_cast<std::size_t>(total / 2) : 0;
}

// For the kernels: windows over x give y. A batch that is not known yet counts as none.
inline kernels::WindowDims window_dims(const WindowParams& p, const Shape& x, const Shape& y) noexcept {
  const std::size_t rank = x.size();
  kernels::WindowDims d{};
  d.n = x[0].is_fixed() ? static_cast<std::size_t>(x[0].value()) : 0;
  d.c = static_cast<std::size_t>(x.back().value());
  for (std::size_t k = 0; k < 3; ++k) {
    const bool used = k + rank >= 5;
    const std::int64_t in = used ? x[k + rank - 4].value() : 1, out = used ? y[k + rank - 4].value() : 1;
    d.in[k] = static_cast<std::size_t>(in);
    d.out[k] = static_cast<std::size_t>(out);
    d.window[k] = static_cast<std::size_t>(p.size[k]);
    d.stride[k] = static_cast<std::size_t>(p.stride[k]);
    d.dilation[k] = static_cast<std::size_t>(p.dilation[k]);
    d.pad[k] = pad_before(in, out, p.span(k), p.stride[k], p.padding);
  }
  return d;
}
inline kernels::WindowDims window_dims(const WindowParams& p, const View& x, const View& y) noexcept {
  return window_dims(p, *x.shape, *y.shape);
}
inline std::size_t positions_of(const kernels::WindowDims& d) noexcept {
  return d.n * d.out[0] * d.out[1] * d.out[2];
}

}  // namespace layernet
