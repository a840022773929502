// What the two softmax cross-entropies share: rows of logits with one loss each. The second output, the slope of each
// loss in its row of logits, comes almost free with the first, and is what the gradient needs.
#pragma once

#include "ops/kernel_pick.h"

namespace layernet {

inline std::size_t rows_before_last(const View& x) noexcept {
  std::size_t rows = 1;
  for (std::size_t i = 0; i + 1 < x.rank(); ++i) rows *= static_cast<std::size_t>(x.dim(i));
  return rows;
}

namespace emit {
// g, one number per row, with the last axis put back as a one.
inline Value per_row(Emitter& e, const Value& g) {
  Shape s = g.shape();
  s.push_back(Dim(1));
  return reshape(e, g, std::move(s));
}
// dlogits of first outputs' gradients dl and of second outputs' ds, which are softmax(logits) * total up to constants.
inline Value cross_entropy_grad(Emitter& e, const Call& call, const Values& dy, const Value& total) {
  Value sum;
  if (dy[0]) sum = multiply(e, call.out(1), per_row(e, dy[0]));
  if (dy[1]) {
    const Value g = total ? multiply(e, dy[1], total) : dy[1];
    const Value part = softmax_grad(e, g, softmax(e, call.in(0)));
    sum = sum ? add(e, sum, part) : part;
  }
  return sum;
}
inline Value sum_rows(Emitter& e, const Value& x, bool keepdims) {
  return reduce_sum(e, x, Ints{-1}, keepdims);
}
}  // namespace emit

}  // namespace layernet
