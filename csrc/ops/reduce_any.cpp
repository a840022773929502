// reduce_any(x; axis, all, keepdims) of bools.
#include "ops/reduction.h"

namespace layernet {

namespace {

struct ReduceAny : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_bool("reduce_any", in.dtype(0));
    return infer_reduction("reduce_any", in, DType::bool_);
  }
  void prepare(Preparation& p) const { prepare_bool_reduction(p, "reduce_any", p.kernels().reduce_any_b8); }
};

}  // namespace

const OpDef reduce_any_op = define_op<ReduceAny>("reduce_any", "x", {0, -1, false, "a logical op has no derivative"});

}  // namespace layernet
