// Windows that slide over images, for convolution and pooling: attributes, output sizes, padding. Arrays are [n, w, c]
// or [n, h, w, c]; one spatial axis is handled as an image of height 1.
#pragma once

#include "kernels/kernel_args.h"
#include "ops/kernel_pick.h"

namespace layernet {

enum Padding : int { kPaddingValid = 0, kPaddingSame = 1 };
constexpr const char* kPaddings[2] = {"valid", "same"};

inline const char* axes_word(std::size_t spatial) noexcept {
  return spatial == 1 ? " spatial axis" : " spatial axes";
}

// One positive number per spatial axis, height first, or none for `standard`; written to the last places of out[2].
inline void read_steps(const char* who, const char* what, const Ints& given, std::size_t spatial, std::int64_t standard,
                       std::int64_t* out) {
  for (std::size_t i = 0; i < spatial; ++i) out[2 - spatial + i] = standard;
  if (given.empty()) return;
  if (given.size() != spatial)
    throw InvalidArgumentError(
        join(who, ": expected ", what, " for ", spatial, axes_word(spatial), ", got ", given, "."));
  for (std::size_t i = 0; i < spatial; ++i) {
    if (given[i] < 1) throw InvalidArgumentError(join(who, ": expected ", what, " of 1 or more, got ", given, "."));
    out[2 - spatial + i] = given[i];
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
  if (padding == kPaddingSame) return Dim((in.value() + stride - 1) / stride);
  if (in.value() < span)
    throw ShapeError(join(who, ": expected at least ", span, " elements along axis ", axis,
                          " for a window of that span, got shape ", x, ". Use padding='same' or a smaller window."));
  return Dim((in.value() - span) / stride + 1);
}

// Elements of padding before the first window: half of what is needed, the odd one goes to the end.
inline std::size_t pad_before(std::int64_t in, std::int64_t out, std::int64_t span, std::int64_t stride,
                              int padding) noexcept {
  if (padding == kPaddingValid) return 0;
  const std::int64_t total = (out - 1) * stride + span - in;
  return total > 0 ? static_cast<std::size_t>(total / 2) : 0;
}

// Sizes of an image view with one or two spatial axes.
struct ImageSize {
  std::int64_t n, h, w, c;
  explicit ImageSize(const View& x) noexcept
      : n(x.dim(0)), h(x.rank() == 4 ? x.dim(1) : 1), w(x.dim(x.rank() - 2)), c(x.dim(x.rank() - 1)) {}
};

}  // namespace layernet
