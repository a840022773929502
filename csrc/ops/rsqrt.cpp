// rsqrt(x) = 1 / sqrt x: dx = -dy y^3 / 2.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Rsqrt {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("rsqrt", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value cube = emit::multiply(e, emit::square(e, call.out()), call.out());
    return one_value(emit::multiply(e, emit::affine(e, dy[0], -0.5), cube));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "rsqrt", p.kernels().unary_rsqrt_f32, p.kernels().unary_rsqrt_f64);
  }
};

}  // namespace

const OpDef rsqrt_op = define_op<Rsqrt>("rsqrt", "x");

Value emit::rsqrt(Emitter& e, const Value& x) {
  return e.one(rsqrt_op, Rsqrt{}, {x});
}

}  // namespace layernet
