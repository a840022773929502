// Arithmetic with one number per channel: x seen as [outer, c, inner] with the channels along one axis. Channels last
// is the fast case (inner = 1), which the norm kernels take whole; otherwise each run of `inner` elements is a vector.
#pragma once

#include "ops/kernel_pick.h"

namespace layernet {

struct ChannelLayout {
  std::size_t outer = 1, c = 1, inner = 1;
  ChannelLayout() = default;
  ChannelLayout(const View& x, std::size_t axis) noexcept {
    for (std::size_t i = 0; i < x.rank(); ++i)
      (i < axis ? outer : i == axis ? c : inner) *= static_cast<std::size_t>(x.dim(i));
  }
  std::size_t row() const noexcept { return c * inner; }  // elements of one outer position
};

// y = x * scale + shift.
template <class T>
void channel_affine(const Step& step, const T* x, const T* scale, const T* shift, T* y, std::size_t outer,
                    const ChannelLayout& l) noexcept {
  if (l.inner == 1) return LN_PICK(T, *step.kernels, scale_shift)(x, scale, shift, y, outer, l.c);
  const auto affine = LN_PICK(T, *step.kernels, unary_affine);
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t i = 0; i < l.c; ++i) {
      const double p[2] = {static_cast<double>(scale[i]), static_cast<double>(shift[i])};
      affine(x + o * l.row() + i * l.inner, y + o * l.row() + i * l.inner, l.inner, p);
    }
}

// y[c] = the sum over all else; `room` holds outer * c elements (not used when inner is 1).
template <class T>
void channel_sum(const Step& step, const T* x, T* y, T* room, const ChannelLayout& l) noexcept {
  const auto sum = LN_PICK(T, *step.kernels, reduce_sum);
  if (l.inner == 1) return sum(x, y, 1, l.outer, l.c);
  sum(x, room, l.outer * l.c, l.inner, 1);
  sum(room, y, 1, l.outer, l.c);
}

// Outer positions per block, so that a block of the arrays involved stays in the first- or second-level cache.
template <class T>
std::size_t channel_block(const ChannelLayout& l) noexcept {
  constexpr std::size_t kBlockElements = 16384 / sizeof(T);
  const std::size_t fit = l.row() == 0 ? 1 : kBlockElements / l.row();
  return fit == 0 ? 1 : fit;
}
// Scratch for a block, as the last part: the larger of its two parts is enough, whichever that is.
template <class T>
void channel_block_scratch(Preparation& p, const Shape& x, std::size_t axis, const char* who) {
  Dim row = 1;
  for (std::size_t i = axis; i < x.size(); ++i) row = layernet::multiply(row, x[i], who);
  p.scratch(row, sizeof(T));
  p.scratch(Dim(16384 / sizeof(T)), sizeof(T));
}

// The rules all batch normalisations share: x floating, the others vectors of its channels and of its type.
inline Dim check_channels(const char* who, const InSpecs& in, std::size_t x, std::int64_t axis,
                          std::size_t first_vector, const char* const* names) {
  expect_floating(who, in.dtype(x));
  Dim c = in.shape(x)[axis_index(who, axis, in.rank(x))];
  for (std::size_t i = first_vector; i < in.size(); ++i) {
    expect_same_dtype(who, in.dtype(x), in.dtype(i));
    const Shape& v = in.shape(i);
    if (v.size() != 1 || (v[0] != c && !v[0].is_unknown() && !c.is_unknown()))
      fail_shape(who, join(names[i - first_vector], " of shape [", c, "] for inputs of shape ", in.shape(x)),
                 join("shape ", v));
    if (c.is_unknown()) c = v[0];
  }
  return c;
}

namespace emit {
// A vector of channels, shaped to broadcast against x.
inline Value channels(Emitter& e, const Value& v, const Value& x, std::size_t axis) {
  if (axis + 1 == x.rank()) return v;
  Shape s;
  s.push_back(v.shape()[0]);
  for (std::size_t i = axis + 1; i < x.rank(); ++i) s.push_back(Dim(1));
  return reshape(e, v, std::move(s));
}
inline Ints all_but(std::size_t axis, std::size_t rank) {
  Ints axes;
  for (std::size_t i = 0; i < rank; ++i)
    if (i != axis) axes.push_back(static_cast<std::int64_t>(i));
  return axes;
}
// Over every axis but the channels'.
inline Value sum_channels(Emitter& e, const Value& x, std::size_t axis) {
  return x.rank() == 1 ? x : reduce_sum(e, x, all_but(axis, x.rank()), false);
}
inline Value mean_channels(Emitter& e, const Value& x, std::size_t axis) {
  return x.rank() == 1 ? x : reduce_mean(e, x, all_but(axis, x.rank()), false);
}
}  // namespace emit

}  // namespace layernet
