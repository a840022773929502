// exp(x): dx = dy y.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Exp {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("exp", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::multiply(e, dy[0], call.out()));
  }
  void prepare(Preparation& p) const { prepare_unary(p, "exp", p.kernels().unary_exp_f32, p.kernels().unary_exp_f64); }
};

}  // namespace

const OpDef exp_op = define_op<Exp>("exp", "x");

Value emit::exp(Emitter& e, const Value& x) {
  return e.one(exp_op, Exp{}, {x});
}

}  // namespace layernet
