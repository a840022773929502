// abs(x) = |x|. The derivative at 0 is 0, as sign(0) is.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Abs {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_arithmetic("abs", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::multiply(e, dy[0], emit::sign(e, call.in(0))));
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    if (is_integer(p.in(0).dtype)) return prepare_unary_int(p, "abs", k.unary_abs_i32, k.unary_abs_i64);
    prepare_unary(p, "abs", k.unary_abs_f32, k.unary_abs_f64);
  }
};

}  // namespace

const OpDef abs_op = define_op<Abs>("abs", "x");

}  // namespace layernet
