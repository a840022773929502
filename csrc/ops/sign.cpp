// sign(x): -1, 0 or 1; NaN stays NaN. Its gradient is zero everywhere.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Sign {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_arithmetic("sign", in); }
  Values backward(Emitter& e, const Call& call, const Values&) const {
    return one_value(emit::zeros_like(e, call.in(0)));
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    if (is_integer(p.in(0).dtype)) return prepare_unary_int(p, "sign", k.unary_sign_i32, k.unary_sign_i64);
    prepare_unary(p, "sign", k.unary_sign_f32, k.unary_sign_f64);
  }
};

}  // namespace

const OpDef sign_op = define_op<Sign>("sign", "x");

Value emit::sign(Emitter& e, const Value& x) {
  return e.one(sign_op, Sign{}, {x});
}

}  // namespace layernet
