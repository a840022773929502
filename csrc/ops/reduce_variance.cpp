// reduce_variance(x; axis, all, keepdims): the mean of (x - mean)^2, population form. dx = 2 dy (x - mean) / count.
#include "ops/reduction.h"

namespace layernet {

extern const OpDef reduce_variance_op;

namespace {

struct ReduceVariance : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_floating("reduce_variance", in.dtype(0));
    return infer_reduction("reduce_variance", in, in.dtype(0));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value& x = call.in(0);
    const Value centred = emit::subtract(e, x, emit::reduce_mean(e, x, axes_of(x), true));
    const Value spread = emit::reduce_mean_grad(e, restored("reduce_variance", e, dy[0], x), x);
    return one_value(emit::multiply(e, emit::affine(e, centred, 2), spread));
  }
  void prepare(Preparation& p) const { prepare_variance(p); }
};

}  // namespace

const OpDef reduce_variance_op = define_op<ReduceVariance>("reduce_variance", "x");

}  // namespace layernet
