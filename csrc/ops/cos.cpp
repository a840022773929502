// cos(x): dx = -dy sin x.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Cos {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("cos", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::negative(e, emit::multiply(e, dy[0], emit::sin(e, call.in(0)))));
  }
  void prepare(Preparation& p) const { prepare_unary(p, "cos", p.kernels().unary_cos_f32, p.kernels().unary_cos_f64); }
};

}  // namespace

const OpDef cos_op = define_op<Cos>("cos", "x");

Value emit::cos(Emitter& e, const Value& x) {
  return e.one(cos_op, Cos{}, {x});
}

}  // namespace layernet
