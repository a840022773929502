// reduce_sum(x; axis, all, keepdims): the sum over some axes. Its gradient broadcasts.
#include "ops/reduction.h"

namespace layernet {

namespace {

struct ReduceSum : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_arithmetic("reduce_sum", in.dtype(0));
    return infer_reduction("reduce_sum", in, in.dtype(0));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::broadcast_to(e, restored("reduce_sum", e, dy[0], call.in(0)), call.in(0).shape()));
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_reduction(p, "reduce_sum", {k.reduce_sum_f32, k.reduce_sum_f64, k.reduce_sum_i32, k.reduce_sum_i64});
  }
};

}  // namespace

const OpDef reduce_sum_op = define_op<ReduceSum>("reduce_sum", "x");

Value emit::reduce_sum(Emitter& e, const Value& x, const Ints& axes, bool keepdims) {
  ReduceSum op;
  op.axis = axes;
  op.all = false;
  op.keepdims = keepdims;
  return e.one(reduce_sum_op, op, {x});
}

}  // namespace layernet
