// sigmoid(x) = 1 / (1 + exp(-x)), without overflow on either side: dx = dy y (1 - y).
#include "ops/op_util.h"

namespace layernet {

extern const OpDef sigmoid_grad_op;

namespace {

// dx = dy f'(x), written by the function's output.
struct SigmoidGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("sigmoid_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(sigmoid_grad_op, *this, {g, v}));
    const Value gd = emit::multiply(e, g, call.in(0));
    out.push_back(emit::multiply(e, gd, emit::affine(e, v, -2, 1)));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_sigmoid", p.kernels().grad_sigmoid_f32, p.kernels().grad_sigmoid_f64);
  }
};

struct Sigmoid {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("sigmoid", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(sigmoid_grad_op, SigmoidGrad{}, {dy[0], call.out()}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "sigmoid", p.kernels().unary_sigmoid_f32, p.kernels().unary_sigmoid_f64);
  }
};

}  // namespace

const OpDef sigmoid_grad_op = define_op<SigmoidGrad>("sigmoid_grad", "dy, y");
const OpDef sigmoid_op = define_op<Sigmoid>("sigmoid", "x");

Value emit::sigmoid(Emitter& e, const Value& x) {
  return e.one(sigmoid_op, Sigmoid{}, {x});
}

Value emit::sigmoid_grad(Emitter& e, const Value& dy, const Value& y) {
  return e.one(sigmoid_grad_op, SigmoidGrad{}, {dy, y});
}

}  // namespace layernet
