// reduce_prod(x; axis, all, keepdims). The gradient multiplies the others: exact also where elements are zero, and so
// are its own gradients.
#include "ops/reduction.h"

namespace layernet {

extern const OpDef reduce_prod_op;

namespace {

struct ReduceProd : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_arithmetic("reduce_prod", in.dtype(0));
    return infer_reduction("reduce_prod", in, in.dtype(0));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value& x = call.in(0);
    const Ints axes = axes_of(x);
    for (const std::int64_t axis : axes)
      if (!x.shape()[static_cast<std::size_t>(axis)].is_fixed()) return one_value(by_division(e, call, dy));
    // One axis after the other, by the chain rule.
    Value g = restored("reduce_prod", e, dy[0], x), rest = x;
    for (const std::int64_t axis : axes) {
      g = emit::multiply(e, g, others(e, rest, axis));
      if (axis == axes.back()) break;
      ReduceProd over;
      over.axis = {axis};
      over.all = false;
      over.keepdims = true;
      rest = e.one(reduce_prod_op, over, {rest});
    }
    return one_value(std::move(g));
  }
  // For each element, the product of the other ones along an axis. Elements are paired, a * b; what is left out of a
  // pair's product comes from the pairs' own products of the others, found in the same way: about 3n multiplications
  // and no division, so all derivatives are right at zeros too.
  static Value others(Emitter& e, const Value& x, std::int64_t axis) {
    const std::int64_t n = x.shape()[static_cast<std::size_t>(axis)].value(), half = n / 2;
    if (n <= 1) return emit::ones_like(e, x);
    const Value a = emit::slice_axis(e, x, axis, 0, half), b = emit::slice_axis(e, x, axis, half, 2 * half);
    if (n == 2) return emit::concat(e, {b, a}, axis);
    Value pairs = emit::multiply(e, a, b), odd;
    if (n % 2 == 1) {
      odd = emit::slice_axis(e, x, axis, n - 1, n);
      pairs = emit::concat(e, {pairs, odd}, axis);
    }
    Value rest = others(e, pairs, axis);
    const Value odd_rest = n % 2 == 1 ? emit::slice_axis(e, rest, axis, half, half + 1) : Value();
    if (n % 2 == 1) rest = emit::slice_axis(e, rest, axis, 0, half);
    Values parts;
    parts.push_back(emit::multiply(e, rest, b));
    parts.push_back(emit::multiply(e, rest, a));
    if (n % 2 == 1) parts.push_back(odd_rest);
    return emit::concat(e, std::move(parts), axis);
  }
  // For axes whose size is symbolic. Without a zero the product of the others is y / x; with exactly one, only that
  // element has a gradient, the product of the rest; with two or more there is none. Zeros are replaced by ones first,
  // so nothing is divided by zero; the second derivative with respect to a zero is lost by that.
  Value by_division(Emitter& e, const Call& call, const Values& dy) const {
    const Value& x = call.in(0);
    const Value zero = emit::equal(e, x, emit::scalar_like(x, 0));
    const Value is_zero = emit::cast(e, zero, x.dtype());
    const Value safe = emit::where(e, zero, emit::ones_like(e, x), x);
    ReduceProd over = *this;
    over.axis = axes_of(x);
    over.all = false;
    over.keepdims = true;
    const Value others = e.one(reduce_prod_op, over, {safe});
    const Value zeros = emit::reduce_sum(e, is_zero, axes_of(x), true);
    // 1 where the number of zeros among the other elements is 0.
    const Value alone =
        emit::cast(e, emit::equal(e, emit::subtract(e, zeros, is_zero), emit::scalar_like(x, 0)), x.dtype());
    const Value g = emit::multiply(e, restored("reduce_prod", e, dy[0], x), emit::divide(e, others, safe));
    return emit::multiply(e, g, alone);
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_reduction(p, "reduce_prod", {k.reduce_prod_f32, k.reduce_prod_f64, k.reduce_prod_i32, k.reduce_prod_i64});
  }
};

}  // namespace

const OpDef reduce_prod_op = define_op<ReduceProd>("reduce_prod", "x");

}  // namespace layernet
