// softplus(x) = log(1 + exp(x)), without overflow: dx = dy sigmoid(x).
#include "ops/op_util.h"

namespace layernet {

extern const OpDef softplus_grad_op;

namespace {

// dx = dy f'(x), written by the function's input.
struct SoftplusGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("softplus_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(softplus_grad_op, *this, {g, v}));
    const Value gd = emit::multiply(e, g, call.in(0));
    const Value s = emit::sigmoid(e, v);
    out.push_back(emit::multiply(e, gd, emit::multiply(e, s, emit::affine(e, s, -1, 1))));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_softplus", p.kernels().grad_softplus_f32, p.kernels().grad_softplus_f64);
  }
};

struct Softplus {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("softplus", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(softplus_grad_op, SoftplusGrad{}, {dy[0], call.in(0)}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "softplus", p.kernels().unary_softplus_f32, p.kernels().unary_softplus_f64);
  }
};

}  // namespace

const OpDef softplus_grad_op = define_op<SoftplusGrad>("softplus_grad", "dy, x");
const OpDef softplus_op = define_op<Softplus>("softplus", "x");

Value emit::softplus_grad(Emitter& e, const Value& dy, const Value& x) {
  return e.one(softplus_grad_op, SoftplusGrad{}, {dy, x});
}

}  // namespace layernet
