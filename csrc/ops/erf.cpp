// erf(x) = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x: dx = dy 2 / sqrt(pi) exp(-x^2).
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Erf {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("erf", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    constexpr double kTwoOverSqrtPi = 1.1283791670955126;
    const Value bell = emit::exp(e, emit::negative(e, emit::square(e, call.in(0))));
    return one_value(emit::multiply(e, emit::affine(e, dy[0], kTwoOverSqrtPi), bell));
  }
  void prepare(Preparation& p) const { prepare_unary(p, "erf", p.kernels().unary_erf_f32, p.kernels().unary_erf_f64); }
};

}  // namespace

const OpDef erf_op = define_op<Erf>("erf", "x");

}  // namespace layernet
