// mish(x) = x tanh(softplus(x)) (Misra 2019): f' = t + x s (1 - t^2), t = tanh(softplus x), s = sigmoid x.
#include "ops/op_util.h"

namespace layernet {

extern const OpDef mish_grad_op;

namespace {

// dx = dy f'(x), written by the function's input.
struct MishGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("mish_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(mish_grad_op, *this, {g, v}));
    const Value gd = emit::multiply(e, g, call.in(0));
    // f'' = (1 - t^2) s (2 + x (1 - s - 2 t s)), with t = tanh(softplus(x)) = f(x) / x taken as (q - 1) / (q + 1), q =
    // (1 + e^x)^2. Written by s alone: 1 + e^x = 1 / (1 - s), so t = (1 - (1 - s)^2) / (1 + (1 - s)^2).
    const Value s = emit::sigmoid(e, v);
    const Value c2 = emit::square(e, emit::affine(e, s, -1, 1));
    const Value t = emit::divide(e, emit::affine(e, c2, -1, 1), emit::affine(e, c2, 1, 1));
    const Value inner = emit::subtract(e, emit::affine(e, s, -1, 1), emit::multiply(e, emit::affine(e, t, 2), s));
    const Value bend = emit::affine(e, emit::multiply(e, v, inner), 1, 2);
    const Value slope = emit::multiply(e, emit::affine(e, emit::square(e, t), -1, 1), s);
    out.push_back(emit::multiply(e, gd, emit::multiply(e, slope, bend)));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_mish", p.kernels().grad_mish_f32, p.kernels().grad_mish_f64);
  }
};

struct Mish {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("mish", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(mish_grad_op, MishGrad{}, {dy[0], call.in(0)}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "mish", p.kernels().unary_mish_f32, p.kernels().unary_mish_f64);
  }
};

}  // namespace

const OpDef mish_grad_op = define_op<MishGrad>("mish_grad", "dy, x");
const OpDef mish_op = define_op<Mish>("mish", "x");

Value emit::mish_grad(Emitter& e, const Value& dy, const Value& x) {
  return e.one(mish_grad_op, MishGrad{}, {dy, x});
}

}  // namespace layernet
