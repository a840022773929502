// expm1(x) = exp(x) - 1, exact near 0: dx = dy (y + 1).
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Expm1 {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("expm1", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::multiply(e, dy[0], emit::affine(e, call.out(), 1, 1)));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "expm1", p.kernels().unary_expm1_f32, p.kernels().unary_expm1_f64);
  }
};

}  // namespace

const OpDef expm1_op = define_op<Expm1>("expm1", "x");

}  // namespace layernet
