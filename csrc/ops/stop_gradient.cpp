// stop_gradient(x) = x with derivative zero.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct StopGradient {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("stop_gradient", in, 1);
    return one_spec(in.dtype(0), in.shape(0));
  }
  Values backward(Emitter&, const Call&, const Values&) const { return one_value(Value()); }
};

}  // namespace

const OpDef stop_gradient_op = define_op<StopGradient>("stop_gradient", "x", {0, 0, true, nullptr});

}  // namespace layernet
