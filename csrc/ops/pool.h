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

  struct Params {
    std::int64_t size[2], stride[2];
    int padding;
  };
  // The window of images of this rank; strides default to the size.
  Params window(const char* who, std::size_t rank) const {
    const std::size_t spatial = rank - 2;
    Params p{{1, 1}, {1, 1}, padding};
    if (size.empty())
      throw InvalidArgumentError(
          join(who, ": expected a window size for ", spatial, axes_word(spatial), ", got none."));
    read_steps(who, "sizes", size, spatial, 1, p.size);
    read_steps(who, "strides", strides.empty() ? size : strides, spatial, 1, p.stride);
    return p;
  }
  Shape pooled(const char* who, const Shape& x) const {
    if (x.size() != 3 && x.size() != 4) fail_shape(who, "inputs of rank 3 or 4", join("shape ", x));
    const Params p = window(who, x.size());
    Shape out = x;
    for (std::size_t i = 1; i + 1 < x.size(); ++i) {
      const std::size_t k = i + 3 - x.size();  // 0 height, 1 width
      out[i] = window_count(who, x, i, p.size[k], p.stride[k], padding);
    }
    return out;
  }
  static kernels::PoolDims pool_dims(const Params& p, const View& x, const View& y) noexcept {
    const ImageSize in(x), out(y);
    kernels::PoolDims d{};
    d.n = static_cast<std::size_t>(in.n);
    d.h = static_cast<std::size_t>(in.h);
    d.w = static_cast<std::size_t>(in.w);
    d.c = static_cast<std::size_t>(in.c);
    d.kh = static_cast<std::size_t>(p.size[0]);
    d.kw = static_cast<std::size_t>(p.size[1]);
    d.stride_h = static_cast<std::size_t>(p.stride[0]);
    d.stride_w = static_cast<std::size_t>(p.stride[1]);
    d.pad_top = pad_before(in.h, out.h, p.size[0], p.stride[0], p.padding);
    d.pad_left = pad_before(in.w, out.w, p.size[1], p.stride[1], p.padding);
    d.oh = static_cast<std::size_t>(out.h);
    d.ow = static_cast<std::size_t>(out.w);
    return d;
  }
  void set(Preparation& p, const char* who, std::size_t rank, Step::Run f32, Step::Run f64) const {
    p.params<Params>() = window(who, rank);
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
