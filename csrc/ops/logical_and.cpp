// logical_and(a, b) of bools, broadcast.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct LogicalAnd {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("logical_and", in);
    expect_bool("logical_and", in.dtype(0));
    return out;
  }
  void prepare(Preparation& p) const { prepare_logical(p, "logical_and", p.kernels().logical_and_b8); }
};

}  // namespace

const OpDef logical_and_op =
    define_op<LogicalAnd>("logical_and", "a, b", {0, -1, false, "a logical op has no derivative"});

}  // namespace layernet
