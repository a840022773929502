// sqrt(x): dx = dy / (2 sqrt x).
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Sqrt {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("sqrt", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::divide(e, emit::affine(e, dy[0], 0.5), call.out()));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "sqrt", p.kernels().unary_sqrt_f32, p.kernels().unary_sqrt_f64);
  }
};

}  // namespace

const OpDef sqrt_op = define_op<Sqrt>("sqrt", "x");

Value emit::sqrt(Emitter& e, const Value& x) {
  return e.one(sqrt_op, Sqrt{}, {x});
}

}  // namespace layernet
