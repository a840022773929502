// reduce_max(x; axis, all, keepdims). NaN wins. Equal extremes share the gradient evenly, as in TensorFlow.
#include "ops/reduction.h"

namespace layernet {

namespace {

struct ReduceMax : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_arithmetic("reduce_max", in.dtype(0));
    return infer_reduction("reduce_max", in, in.dtype(0));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value& x = call.in(0);
    const Value y = restored("reduce_max", e, call.out(), x);
    const Value chosen = emit::cast(e, emit::equal(e, x, y), x.dtype());
    const Value count = restored("reduce_max", e, emit::reduce_sum(e, chosen, axes_of(x), true), x);
    const Value share = emit::divide(e, restored("reduce_max", e, dy[0], x), count);
    return one_value(emit::multiply(e, chosen, share));
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_reduction(p, "reduce_max", {k.reduce_max_f32, k.reduce_max_f64, k.reduce_max_i32, k.reduce_max_i64});
  }
};

}  // namespace

const OpDef reduce_max_op = define_op<ReduceMax>("reduce_max", "x");

}  // namespace layernet
