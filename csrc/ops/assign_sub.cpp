// assign_sub(v, value): v = v - value.
#include "ops/update.h"

namespace layernet {

namespace {

struct AssignSub {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_update("assign_sub", in, 1, 0);
    expect_arithmetic("assign_sub", in.dtype(0));
    return out;
  }
  void prepare(Preparation& p) const { prepare_binary(p, "subtract", LN_ARITHMETIC_KERNELS(p.kernels(), subtract)); }
};

}  // namespace

const OpDef assign_sub_op = define_op<AssignSub>("assign_sub", "v, value", {1, -1, false, kUpdateNoGradient});

}  // namespace layernet
