// ceil(x): the smallest integer not below x. Its gradient is zero everywhere.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Ceil {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("ceil", in); }
  Values backward(Emitter& e, const Call& call, const Values&) const {
    return one_value(emit::zeros_like(e, call.in(0)));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "ceil", p.kernels().unary_ceil_f32, p.kernels().unary_ceil_f64);
  }
};

}  // namespace

const OpDef ceil_op = define_op<Ceil>("ceil", "x");

}  // namespace layernet
