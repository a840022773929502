// reduce_all(x; axis, all, keepdims) of bools.
#include "ops/reduction.h"

namespace layernet {

namespace {

struct ReduceAll : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_bool("reduce_all", in.dtype(0));
    return infer_reduction("reduce_all", in, DType::bool_);
  }
  void prepare(Preparation& p) const { prepare_bool_reduction(p, "reduce_all", p.kernels().reduce_all_b8); }
};

}  // namespace

const OpDef reduce_all_op = define_op<ReduceAll>("reduce_all", "x", {0, -1, false, "a logical op has no derivative"});

}  // namespace layernet
