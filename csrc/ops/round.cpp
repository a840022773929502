// round(x): the nearest integer, halves to even as in IEEE 754. Its gradient is zero everywhere.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Round {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("round", in); }
  Values backward(Emitter& e, const Call& call, const Values&) const {
    return one_value(emit::zeros_like(e, call.in(0)));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "round", p.kernels().unary_round_f32, p.kernels().unary_round_f64);
  }
};

}  // namespace

const OpDef round_op = define_op<Round>("round", "x");

}  // namespace layernet
