// hard_sigmoid(x) = clip(0.2 x + 0.5, 0, 1), the piecewise linear sigmoid of Courbariaux et al. 2015 with Keras' slope.
#include "ops/op_util.h"

namespace layernet {

extern const OpDef hard_sigmoid_grad_op;

namespace {

// dx = dy f'(x), written by the function's input.
struct HardSigmoidGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("hard_sigmoid_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(hard_sigmoid_grad_op, *this, {g, v}));
    out.push_back(emit::zeros_like(e, v));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_hard_sigmoid", p.kernels().grad_hard_sigmoid_f32,
                             p.kernels().grad_hard_sigmoid_f64);
  }
};

struct HardSigmoid {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("hard_sigmoid", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(hard_sigmoid_grad_op, HardSigmoidGrad{}, {dy[0], call.in(0)}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "hard_sigmoid", p.kernels().unary_hard_sigmoid_f32, p.kernels().unary_hard_sigmoid_f64);
  }
};

}  // namespace

const OpDef hard_sigmoid_grad_op = define_op<HardSigmoidGrad>("hard_sigmoid_grad", "dy, x");
const OpDef hard_sigmoid_op = define_op<HardSigmoid>("hard_sigmoid", "x");

Value emit::hard_sigmoid_grad(Emitter& e, const Value& dy, const Value& x) {
  return e.one(hard_sigmoid_grad_op, HardSigmoidGrad{}, {dy, x});
}

}  // namespace layernet
