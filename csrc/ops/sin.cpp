// sin(x): dx = dy cos x.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Sin {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("sin", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::multiply(e, dy[0], emit::cos(e, call.in(0))));
  }
  void prepare(Preparation& p) const { prepare_unary(p, "sin", p.kernels().unary_sin_f32, p.kernels().unary_sin_f64); }
};

}  // namespace

const OpDef sin_op = define_op<Sin>("sin", "x");

Value emit::sin(Emitter& e, const Value& x) {
  return e.one(sin_op, Sin{}, {x});
}

}  // namespace layernet
