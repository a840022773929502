// subtract(a, b) = a - b, broadcast.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Subtract {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("subtract", in);
    expect_arithmetic("subtract", in.dtype(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out(2);
    if (call.wants(0)) out[0] = emit::sum_to(e, dy[0], call.in(0));
    if (call.wants(1)) out[1] = emit::negative(e, emit::sum_to(e, dy[0], call.in(1)));
    return out;
  }
  void prepare(Preparation& p) const { prepare_binary(p, "subtract", LN_ARITHMETIC_KERNELS(p.kernels(), subtract)); }
};

}  // namespace

const OpDef subtract_op = define_op<Subtract>("subtract", "a, b");

Value emit::subtract(Emitter& e, const Value& a, const Value& b) {
  return e.one(subtract_op, Subtract{}, {a, b});
}

}  // namespace layernet
