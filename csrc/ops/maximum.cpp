// maximum(a, b) elementwise, broadcast; NaN wins. Where both are equal the whole gradient goes to a, as in TensorFlow.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Maximum {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("maximum", in);
    expect_arithmetic("maximum", in.dtype(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &a = call.in(0), &b = call.in(1);
    const Value first = emit::greater_equal(e, a, b);
    const Value none = emit::zeros_like(e, dy[0]);
    Values out(2);
    if (call.wants(0)) out[0] = emit::sum_to(e, emit::where(e, first, dy[0], none), a);
    if (call.wants(1)) out[1] = emit::sum_to(e, emit::where(e, first, none, dy[0]), b);
    return out;
  }
  void prepare(Preparation& p) const { prepare_binary(p, "maximum", LN_ARITHMETIC_KERNELS(p.kernels(), maximum)); }
};

}  // namespace

const OpDef maximum_op = define_op<Maximum>("maximum", "a, b");

}  // namespace layernet
