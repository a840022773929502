// reduce_prod(x; axis, all, keepdims). The gradient multiplies the others: exact also where elements are zero.
#include "ops/reduction.h"

namespace layernet {

extern const OpDef reduce_prod_op;

namespace {

struct ReduceProd : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_arithmetic("reduce_prod", in.dtype(0));
    return infer_reduction("reduce_prod", in, in.dtype(0));
  }
  // Without a zero the product of the others is y / x; with exactly one, only that element has a gradient, the product
  // of the rest; with two or more there is none. Zeros are replaced by ones first, so nothing is divided by zero.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
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
    return one_value(emit::multiply(e, g, alone));
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_reduction(p, "reduce_prod", {k.reduce_prod_f32, k.reduce_prod_f64, k.reduce_prod_i32, k.reduce_prod_i64});
  }
};

}  // namespace

const OpDef reduce_prod_op = define_op<ReduceProd>("reduce_prod", "x");

}  // namespace layernet
