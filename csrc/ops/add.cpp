// add(a, b) = a + b, broadcast.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Add {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("add", in);
    expect_arithmetic("add", in.dtype(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out(2);
    if (call.wants(0)) out[0] = emit::sum_to(e, dy[0], call.in(0));
    if (call.wants(1)) out[1] = emit::sum_to(e, dy[0], call.in(1));
    return out;
  }
  void prepare(Preparation& p) const { prepare_binary(p, "add", LN_ARITHMETIC_KERNELS(p.kernels(), add)); }
};

}  // namespace

const OpDef add_op = define_op<Add>("add", "a, b");

Value emit::add(Emitter& e, const Value& a, const Value& b) {
  return e.one(add_op, Add{}, {a, b});
}

}  // namespace layernet
