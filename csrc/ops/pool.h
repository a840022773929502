// What max_pool and avg_pool share.
#pragma once

#include "ops/window.h"

namespace layernet {

struct PoolFields {
  Ints size, strides;
  int padding = kPaddingValid;
  template <class V>
  void fields(V& visit) {
    visit("size", size);
    visit("strides", strides);
    visit.choice("padding", padding, kPaddings, 2);
  }

  // The window of images of this rank; strides default to the size.
  WindowParams window(const char* who, std::size_t rank) const {
    const std::size_t spatial = rank - 2;
    if (size.empty())
      throw InvalidArgumentError(
          join(who, ": expected a window size for ", spatial, axes_word(spatial), ", got none."));
    WindowParams p;
    p.padding = padding;
    read_steps(who, "sizes", size, spatial, p.size);
    read_steps(who, "strides", strides.empty() ? size : strides, spatial, p.stride);
    return p;
  }
  Shape pooled(const char* who, const Shape& x) const {
    expect_image(who, x);
    return windowed(who, x, window(who, x.size()));
  }
  void set(Preparation& p, const char* who, std::size_t rank, Step::Run f32, Step::Run f64) const {
    p.params<WindowParams>() = window(who, rank);
    p.run(p.in(0).dtype == DType::float64 ? f64 : f32, who);
  }
  // The rule of the gradients: inputs dy (like the pooled x) and x.
  Specs infer_grad(const char* who, const InSpecs& in) const {
    expect_inputs(who, in, 2);
    expect_floating(who, in.dtype(0));
    expect_same_dtype(who, in.dtype(0), in.dtype(1));
    const Shape want = pooled(who, in.shape(1));
    expect_rank(who, in.shape(0), want.size());
    for (std::size_t i = 0; i < want.size(); ++i)
      same_dim(who, "sizes of dy and the pooled input", in.shape(0)[i], want[i]);
    return one_spec(in.dtype(1), in.shape(1));
  }
};

}  // namespace layernet
