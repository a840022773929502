// selu(x) = scale * (x for x > 0, alpha (exp(x) - 1) otherwise), scale = 1.0507..., alpha = 1.6733... (Klambauer et al.
// 2017, appendix A1).
#include "ops/op_util.h"

namespace layernet {

extern const OpDef selu_grad_op;

namespace {

// dx = dy f'(x), written by the function's output.
struct SeluGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("selu_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(selu_grad_op, *this, {g, v}));
    const Value gd = emit::multiply(e, g, call.in(0));
    // On the negative side the derivative is y + scale * alpha: its slope in y is 1.
    const Value negative_side = emit::cast(e, emit::less(e, v, emit::zeros_like(e, v)), v.dtype());
    out.push_back(emit::multiply(e, gd, negative_side));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_selu", p.kernels().grad_selu_f32, p.kernels().grad_selu_f64);
  }
};

struct Selu {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("selu", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(selu_grad_op, SeluGrad{}, {dy[0], call.out()}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "selu", p.kernels().unary_selu_f32, p.kernels().unary_selu_f64);
  }
};

}  // namespace

const OpDef selu_grad_op = define_op<SeluGrad>("selu_grad", "dy, y");
const OpDef selu_op = define_op<Selu>("selu", "x");

Value emit::selu_grad(Emitter& e, const Value& dy, const Value& y) {
  return e.one(selu_grad_op, SeluGrad{}, {dy, y});
}

}  // namespace layernet
