// What conv and depthwise_conv share. Each is linear in the images and in the filter, so each comes as three ops, of
// which any two are the gradients of the third: the product, and what goes to the images and to the filter.
#pragma once

#include "ops/window.h"

namespace layernet {

struct ConvFields {
  Ints strides;
  int padding = kPaddingValid;
  Ints dilation;
  template <class V>
  void fields(V& visit) {
    visit("strides", strides);
    visit.choice("padding", padding, kPaddings, 2);
    visit("dilation", dilation);
  }
  // The window that a filter [window.., ...] is over this many spatial axes.
  WindowParams window(const char* who, const Shape& w, std::size_t spatial) const {
    WindowParams p;
    p.padding = padding;
    read_steps(who, "strides", strides, spatial, p.stride);
    read_steps(who, "dilations", dilation, spatial, p.dilation);
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    for (std::size_t i = 0; i < spatial; ++i) {
      if (!w[i].is_fixed() || w[i].value() < 1 || w[i].value() > kMost)
        fail_shape(who, join("a kernel of 1 to ", kMost, " elements along each spatial axis"), join("shape ", w));
      p.size[3 - spatial + i] = w[i].value();
    }
    return p;
  }
};

// The rule of the gradients: dy is like the product of x and w.
inline void check_result(const char* who, const Shape& dy, const Shape& want) {
  expect_rank(who, dy, want.size());
  for (std::size_t i = 0; i < want.size(); ++i)
    same_dim(who, "sizes of dy and the convolution's result", dy[i], want[i]);
}
// They are told the spatial sizes of what they make, for dy of this shape.
template <class Sizes>
void expect_sizes(const char* who, const Sizes& size, const Shape& dy) {
  expect_image(who, dy);
  if (size.size() + 2 == dy.size()) return;
  throw InvalidArgumentError(
      join(who, ": expected a size for ", dy.size() - 2, axes_word(dy.size() - 2), ", got ", size, "."));
}
// Spatial sizes of an array as that attribute.
inline Shape spatial_sizes(const Shape& x) {
  Shape out;
  for (std::size_t i = 1; i + 1 < x.size(); ++i) out.push_back(x[i]);
  return out;
}
inline Ints filter_sizes(const Shape& w, std::size_t spatial) {
  Ints out;
  for (std::size_t i = 0; i < spatial; ++i) out.push_back(w[i].value());
  return out;
}

}  // namespace layernet
