// softsign(x) = x / (1 + |x|): dx = dy / (1 + |x|)^2.
#include "ops/op_util.h"

namespace layernet {

extern const OpDef softsign_grad_op;

namespace {

// dx = dy f'(x), written by the function's input.
struct SoftsignGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("softsign_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(softsign_grad_op, *this, {g, v}));
    const Value gd = emit::multiply(e, g, call.in(0));
    // d/dx of (1 + |x|)^-2 = -2 sign(x) (1 + |x|)^-3.
    const Value direction = emit::sign(e, v);
    const Value r = emit::reciprocal(e, emit::affine(e, emit::multiply(e, v, direction), 1, 1));
    const Value cube = emit::multiply(e, emit::square(e, r), r);
    out.push_back(emit::multiply(e, gd, emit::multiply(e, emit::affine(e, direction, -2), cube)));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_softsign", p.kernels().grad_softsign_f32, p.kernels().grad_softsign_f64);
  }
};

struct Softsign {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("softsign", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(softsign_grad_op, SoftsignGrad{}, {dy[0], call.in(0)}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "softsign", p.kernels().unary_softsign_f32, p.kernels().unary_softsign_f64);
  }
};

}  // namespace

const OpDef softsign_grad_op = define_op<SoftsignGrad>("softsign_grad", "dy, x");
const OpDef softsign_op = define_op<Softsign>("softsign", "x");

Value emit::softsign_grad(Emitter& e, const Value& dy, const Value& x) {
  return e.one(softsign_grad_op, SoftsignGrad{}, {dy, x});
}

}  // namespace layernet
