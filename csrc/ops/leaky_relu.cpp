// leaky_relu(x) = x for x > 0, alpha x otherwise (Maas et al. 2013).
#include "ops/op_util.h"

namespace layernet {

extern const OpDef leaky_relu_grad_op;

namespace {

// dx = dy f'(x), written by the function's output.
struct LeakyReluGrad {
  double alpha = 0.2;
  template <class V>
  void fields(V& visit) {
    visit("alpha", alpha);
  }
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("leaky_relu_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(leaky_relu_grad_op, *this, {g, v}));
    out.push_back(emit::zeros_like(e, v));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_leaky_relu", p.kernels().grad_leaky_relu_f32, p.kernels().grad_leaky_relu_f64,
                             alpha);
  }
};

struct LeakyRelu {
  double alpha = 0.2;
  template <class V>
  void fields(V& visit) {
    visit("alpha", alpha);
  }
  Specs infer(const InSpecs& in) const { return infer_unary_float("leaky_relu", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(leaky_relu_grad_op, LeakyReluGrad{alpha}, {dy[0], call.out()}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "leaky_relu", p.kernels().unary_leaky_relu_f32, p.kernels().unary_leaky_relu_f64, alpha);
  }
};

}  // namespace

const OpDef leaky_relu_grad_op = define_op<LeakyReluGrad>("leaky_relu_grad", "dy, y");
const OpDef leaky_relu_op = define_op<LeakyRelu>("leaky_relu", "x");

Value emit::leaky_relu_grad(Emitter& e, const Value& dy, const Value& y, double alpha) {
  return e.one(leaky_relu_grad_op, LeakyReluGrad{alpha}, {dy, y});
}

}  // namespace layernet
