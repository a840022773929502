// reduce_min(x; axis, all, keepdims). NaN wins. Equal extremes share the gradient evenly, as in TensorFlow.
#include "ops/reduction.h"

namespace layernet {

namespace {

struct ReduceMin : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_arithmetic("reduce_min", in.dtype(0));
    return infer_reduction("reduce_min", in, in.dtype(0));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value& x = call.in(0);
    const Value y = restored("reduce_min", e, call.out(), x);
    const Value chosen = emit::cast(e, emit::equal(e, x, y), x.dtype());
    const Value count = restored("reduce_min", e, emit::reduce_sum(e, chosen, axes_of(x), true), x);
    const Value share = emit::divide(e, restored("reduce_min", e, dy[0], x), count);
    return one_value(emit::multiply(e, chosen, share));
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_reduction(p, "reduce_min", {k.reduce_min_f32, k.reduce_min_f64, k.reduce_min_i32, k.reduce_min_i64});
  }
};

}  // namespace

const OpDef reduce_min_op = define_op<ReduceMin>("reduce_min", "x");

}  // namespace layernet
