// What the two softmax cross-entropies share: rows of logits with one loss each.
#pragma once

#include "ops/kernel_pick.h"

namespace layernet {

inline std::size_t rows_before_last(const View& x) noexcept {
  std::size_t rows = 1;
  for (std::size_t i = 0; i + 1 < x.rank(); ++i) rows *= static_cast<std::size_t>(x.dim(i));
  return rows;
}

// dlogits[i, :] *= dy[i].
template <class T>
void scale_rows(const Step& step, const T* dy, T* dlogits, std::size_t rows, std::size_t n) noexcept {
  const auto multiply = LN_PICK(T, *step.kernels, binary_multiply);
  for (std::size_t i = 0; i < rows; ++i) multiply(dlogits + i * n, dy + i, dlogits + i * n, n, 2);
}

namespace emit {
// g, one number per row, with the last axis put back as a one.
inline Value per_row(Emitter& e, const Value& g) {
  Shape s = g.shape();
  s.push_back(Dim(1));
  return reshape(e, g, std::move(s));
}
inline Value sum_rows(Emitter& e, const Value& x, bool keepdims) {
  return reduce_sum(e, x, Ints{-1}, keepdims);
}
}  // namespace emit

}  // namespace layernet
