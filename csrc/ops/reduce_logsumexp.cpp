// reduce_logsumexp(x; axis, all, keepdims) = log(sum(exp(x))), the largest element taken out for range.
#include "ops/reduction.h"

namespace layernet {

namespace {

struct ReduceLogsumexp : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_floating("reduce_logsumexp", in.dtype(0));
    return infer_reduction("reduce_logsumexp", in, in.dtype(0));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value& x = call.in(0);
    const Value y = restored("reduce_logsumexp", e, call.out(), x);
    const Value weight = emit::exp(e, emit::subtract(e, x, y));
    return one_value(emit::multiply(e, weight, restored("reduce_logsumexp", e, dy[0], x)));
  }
  void prepare(Preparation& p) const {
    prepare_row_reduction(p, "logsumexp", p.kernels().logsumexp_f32, p.kernels().logsumexp_f64);
  }
};

}  // namespace

const OpDef reduce_logsumexp_op = define_op<ReduceLogsumexp>("reduce_logsumexp", "x");

}  // namespace layernet
