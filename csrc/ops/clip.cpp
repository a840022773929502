// clip(x; min, max): x limited to [min, max]; NaN stays NaN. The derivative is 1 inside and at the limits, 0 outside.
#include "ops/op_util.h"

namespace layernet {

extern const OpDef clip_grad_op;

namespace {

struct ClipGrad {
  double min = 0, max = 0;
  template <class V>
  void fields(V& visit) {
    visit("min", min);
    visit("max", max);
  }
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("clip_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out;
    out.push_back(e.one(clip_grad_op, *this, {dy[0], call.in(1)}));
    out.push_back(emit::zeros_like(e, call.in(1)));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_clip", p.kernels().grad_clip_f32, p.kernels().grad_clip_f64, min, max);
  }
};

struct Clip {
  double min = -__builtin_inf(), max = __builtin_inf();
  template <class V>
  void fields(V& visit) {
    visit("min", min);
    visit("max", max);
  }
  Specs infer(const InSpecs& in) const {
    if (!(min <= max)) throw InvalidArgumentError(join("clip: expected min <= max, got ", min, " and ", max, "."));
    return infer_unary_float("clip", in);
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(clip_grad_op, ClipGrad{min, max}, {dy[0], call.in(0)}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "clip", p.kernels().unary_clip_f32, p.kernels().unary_clip_f64, min, max);
  }
};

}  // namespace

const OpDef clip_grad_op = define_op<ClipGrad>("clip_grad", "dy, x");
const OpDef clip_op = define_op<Clip>("clip", "x");

}  // namespace layernet
