// power(a, b) = a^b elementwise, broadcast. da = dy b a^(b-1), 0 where b is 0; db = dy y log a where a > 0, else 0.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Power {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("power", in);
    expect_floating("power", in.dtype(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &a = call.in(0), &b = call.in(1);
    Values out(2);
    if (call.wants(0)) {
      // a^0 is 1 everywhere: with b - 1 = -1 its slope at 0 would be 0 inf. 1 stands in for b, of which 0 times remain.
      const Value none = emit::equal(e, b, emit::scalar_like(b, 0));
      const Value safe = emit::where(e, none, emit::ones_like(e, b), b);
      const Value slope = emit::multiply(e, b, emit::power(e, a, emit::affine(e, safe, 1, -1)));
      out[0] = emit::sum_to(e, emit::multiply(e, dy[0], slope), a);
    }
    if (call.wants(1)) {
      // log(1) stands in where a <= 0, so that neither NaN nor inf enters the product.
      const Value positive = emit::greater(e, a, emit::scalar_like(a, 0));
      const Value safe = emit::where(e, positive, a, emit::ones_like(e, a));
      out[1] = emit::sum_to(e, emit::multiply(e, dy[0], emit::multiply(e, call.out(), emit::log(e, safe))), b);
    }
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_binary(p, "power", {p.kernels().binary_power_f32, p.kernels().binary_power_f64});
  }
};

}  // namespace

const OpDef power_op = define_op<Power>("power", "a, b");

Value emit::power(Emitter& e, const Value& a, const Value& b) {
  return e.one(power_op, Power{}, {a, b});
}

}  // namespace layernet
