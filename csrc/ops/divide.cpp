// divide(a, b) = a / b elementwise, broadcast; x / 0 is inf or NaN as in IEEE 754.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Divide {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("divide", in);
    expect_floating("divide", in.dtype(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &a = call.in(0), &b = call.in(1);
    const Value ga = emit::divide(e, dy[0], b);
    Values out(2);
    if (call.wants(0)) out[0] = emit::sum_to(e, ga, a);
    if (call.wants(1)) out[1] = emit::negative(e, emit::sum_to(e, emit::multiply(e, ga, call.out()), b));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_binary(p, "divide", {p.kernels().binary_divide_f32, p.kernels().binary_divide_f64});
  }
};

}  // namespace

const OpDef divide_op = define_op<Divide>("divide", "a, b");

Value emit::divide(Emitter& e, const Value& a, const Value& b) {
  return e.one(divide_op, Divide{}, {a, b});
}

}  // namespace layernet
