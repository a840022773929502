// reciprocal(x) = 1 / x: dx = -dy y^2.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Reciprocal {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("reciprocal", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::negative(e, emit::multiply(e, dy[0], emit::square(e, call.out()))));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "reciprocal", p.kernels().unary_reciprocal_f32, p.kernels().unary_reciprocal_f64);
  }
};

}  // namespace

const OpDef reciprocal_op = define_op<Reciprocal>("reciprocal", "x");

Value emit::reciprocal(Emitter& e, const Value& x) {
  return e.one(reciprocal_op, Reciprocal{}, {x});
}

}  // namespace layernet
