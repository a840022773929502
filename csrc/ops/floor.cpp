// floor(x): the largest integer not above x. Its gradient is zero everywhere.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Floor {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("floor", in); }
  Values backward(Emitter& e, const Call& call, const Values&) const {
    return one_value(emit::zeros_like(e, call.in(0)));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "floor", p.kernels().unary_floor_f32, p.kernels().unary_floor_f64);
  }
};

}  // namespace

const OpDef floor_op = define_op<Floor>("floor", "x");

}  // namespace layernet
