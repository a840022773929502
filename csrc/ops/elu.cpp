// elu(x) = x for x > 0, alpha (exp(x) - 1) otherwise (Clevert et al. 2015). By its output y the derivative is 1 or y +
// alpha.
#include "ops/op_util.h"

namespace layernet {

extern const OpDef elu_grad_op;

namespace {

// dx = dy f'(x), written by the function's output.
struct EluGrad {
  double alpha = 1.0;
  template <class V>
  void fields(V& visit) {
    visit("alpha", alpha);
  }
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("elu_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(elu_grad_op, *this, {g, v}));
    const Value gd = emit::multiply(e, g, call.in(0));
    // d/dy of (y + alpha) is 1 on the negative side.
    const Value negative_side = emit::cast(e, emit::less(e, v, emit::zeros_like(e, v)), v.dtype());
    out.push_back(emit::multiply(e, gd, negative_side));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_elu", p.kernels().grad_elu_f32, p.kernels().grad_elu_f64, alpha);
  }
};

struct Elu {
  double alpha = 1.0;
  template <class V>
  void fields(V& visit) {
    visit("alpha", alpha);
  }
  Specs infer(const InSpecs& in) const { return infer_unary_float("elu", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(elu_grad_op, EluGrad{alpha}, {dy[0], call.out()}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "elu", p.kernels().unary_elu_f32, p.kernels().unary_elu_f64, alpha);
  }
};

}  // namespace

const OpDef elu_grad_op = define_op<EluGrad>("elu_grad", "dy, y");
const OpDef elu_op = define_op<Elu>("elu", "x");

Value emit::elu_grad(Emitter& e, const Value& dy, const Value& y, double alpha) {
  return e.one(elu_grad_op, EluGrad{alpha}, {dy, y});
}

}  // namespace layernet
