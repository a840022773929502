// square(x) = x * x.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Square {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_arithmetic("square", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::multiply(e, dy[0], emit::affine(e, call.in(0), 2)));
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    if (is_integer(p.in(0).dtype)) return prepare_unary_int(p, "square", k.unary_square_i32, k.unary_square_i64);
    prepare_unary(p, "square", k.unary_square_f32, k.unary_square_f64);
  }
};

}  // namespace

const OpDef square_op = define_op<Square>("square", "x");

Value emit::square(Emitter& e, const Value& x) {
  return e.one(square_op, Square{}, {x});
}

}  // namespace layernet
