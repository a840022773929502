// logical_or(a, b) of bools, broadcast.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct LogicalOr {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("logical_or", in);
    expect_bool("logical_or", in.dtype(0));
    return out;
  }
  void prepare(Preparation& p) const { prepare_logical(p, "logical_or", p.kernels().logical_or_b8); }
};

}  // namespace

const OpDef logical_or_op =
    define_op<LogicalOr>("logical_or", "a, b", {0, -1, false, "a logical op has no derivative"});

}  // namespace layernet
