// multiply(a, b) = a * b elementwise, broadcast.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Multiply {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("multiply", in);
    expect_arithmetic("multiply", in.dtype(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &a = call.in(0), &b = call.in(1);
    Values out(2);
    if (call.wants(0)) out[0] = emit::sum_to(e, emit::multiply(e, dy[0], b), a);
    if (call.wants(1)) out[1] = emit::sum_to(e, emit::multiply(e, dy[0], a), b);
    return out;
  }
  void prepare(Preparation& p) const { prepare_binary(p, "multiply", LN_ARITHMETIC_KERNELS(p.kernels(), multiply)); }
};

}  // namespace

const OpDef multiply_op = define_op<Multiply>("multiply", "a, b");

Value emit::multiply(Emitter& e, const Value& a, const Value& b) {
  return e.one(multiply_op, Multiply{}, {a, b});
}

}  // namespace layernet
