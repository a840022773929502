// affine(x; scale, shift) = scale * x + shift with constant numbers.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Affine {
  double scale = 1, shift = 0;
  template <class V>
  void fields(V& visit) {
    visit("scale", scale);
    visit("shift", shift);
  }
  Specs infer(const InSpecs& in) const { return infer_unary_float("affine", in); }
  Values backward(Emitter& e, const Call&, const Values& dy) const { return one_value(emit::affine(e, dy[0], scale)); }
  void prepare(Preparation& p) const {
    prepare_unary(p, "affine", p.kernels().unary_affine_f32, p.kernels().unary_affine_f64, scale, shift);
  }
};

}  // namespace

const OpDef affine_op = define_op<Affine>("affine", "x");

// Integers are promoted by their own ops: here scale 2 of an int x is x + x.
Value emit::affine(Emitter& e, const Value& x, double scale, double shift) {
  if (!is_floating(x.dtype()))
    return emit::add(e, emit::multiply(e, x, emit::scalar_like(x, scale)), emit::scalar_like(x, shift));
  return e.one(affine_op, Affine{scale, shift}, {x});
}

}  // namespace layernet
