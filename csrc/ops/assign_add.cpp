// assign_add(v, value): v = v + value.
#include "ops/update.h"

namespace layernet {

namespace {

struct AssignAdd {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_update("assign_add", in, 1, 0);
    expect_arithmetic("assign_add", in.dtype(0));
    return out;
  }
  void prepare(Preparation& p) const { prepare_binary(p, "add", LN_ARITHMETIC_KERNELS(p.kernels(), add)); }
};

}  // namespace

const OpDef assign_add_op = define_op<AssignAdd>("assign_add", "v, value", {1, -1, false, kUpdateNoGradient});

}  // namespace layernet
