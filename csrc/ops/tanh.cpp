// tanh(x): dx = dy (1 - y^2).
#include "ops/op_util.h"

namespace layernet {

extern const OpDef tanh_grad_op;

namespace {

// dx = dy f'(x), written by the function's output.
struct TanhGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("tanh_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(tanh_grad_op, *this, {g, v}));
    const Value gd = emit::multiply(e, g, call.in(0));
    out.push_back(emit::multiply(e, gd, emit::affine(e, v, -2)));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_tanh", p.kernels().grad_tanh_f32, p.kernels().grad_tanh_f64);
  }
};

struct Tanh {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("tanh", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(tanh_grad_op, TanhGrad{}, {dy[0], call.out()}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "tanh", p.kernels().unary_tanh_f32, p.kernels().unary_tanh_f64);
  }
};

}  // namespace

const OpDef tanh_grad_op = define_op<TanhGrad>("tanh_grad", "dy, y");
const OpDef tanh_op = define_op<Tanh>("tanh", "x");

Value emit::tanh(Emitter& e, const Value& x) {
  return e.one(tanh_op, Tanh{}, {x});
}

Value emit::tanh_grad(Emitter& e, const Value& dy, const Value& y) {
  return e.one(tanh_grad_op, TanhGrad{}, {dy, y});
}

}  // namespace layernet
