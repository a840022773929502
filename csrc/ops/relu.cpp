// relu(x) = max(x, 0); NaN stays NaN. The derivative at 0 is 0.
#include "ops/op_util.h"

namespace layernet {

extern const OpDef relu_grad_op;

namespace {

// dx = dy f'(x), written by the function's output.
struct ReluGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("relu_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(relu_grad_op, *this, {g, v}));
    out.push_back(emit::zeros_like(e, v));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_relu", p.kernels().grad_relu_f32, p.kernels().grad_relu_f64);
  }
};

struct Relu {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("relu", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(relu_grad_op, ReluGrad{}, {dy[0], call.out()}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "relu", p.kernels().unary_relu_f32, p.kernels().unary_relu_f64);
  }
};

}  // namespace

const OpDef relu_grad_op = define_op<ReluGrad>("relu_grad", "dy, y");
const OpDef relu_op = define_op<Relu>("relu", "x");

Value emit::relu_grad(Emitter& e, const Value& dy, const Value& y) {
  return e.one(relu_grad_op, ReluGrad{}, {dy, y});
}

}  // namespace layernet
