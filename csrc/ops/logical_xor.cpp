// logical_xor(a, b) of bools, broadcast.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct LogicalXor {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("logical_xor", in);
    expect_bool("logical_xor", in.dtype(0));
    return out;
  }
  void prepare(Preparation& p) const { prepare_logical(p, "logical_xor", p.kernels().logical_xor_b8); }
};

}  // namespace

const OpDef logical_xor_op =
    define_op<LogicalXor>("logical_xor", "a, b", {0, -1, false, "a logical op has no derivative"});

}  // namespace layernet
