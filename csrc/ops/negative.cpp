// negative(x) = -x.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Negative {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_arithmetic("negative", in); }
  Values backward(Emitter& e, const Call&, const Values& dy) const { return one_value(emit::negative(e, dy[0])); }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    if (is_integer(p.in(0).dtype)) return prepare_unary_int(p, "negative", k.unary_negative_i32, k.unary_negative_i64);
    prepare_unary(p, "negative", k.unary_negative_f32, k.unary_negative_f64);
  }
};

}  // namespace

const OpDef negative_op = define_op<Negative>("negative", "x");

Value emit::negative(Emitter& e, const Value& x) {
  return e.one(negative_op, Negative{}, {x});
}

}  // namespace layernet
