// silu(x) = x sigmoid(x) (Elfwing et al. 2018), also called swish: f' = s + x s (1 - s).
#include "ops/op_util.h"

namespace layernet {

extern const OpDef silu_grad_op;

namespace {

// dx = dy f'(x), written by the function's input.
struct SiluGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("silu_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &v = call.in(1);
    Values out;
    out.push_back(e.one(silu_grad_op, *this, {g, v}));
    const Value gd = emit::multiply(e, g, call.in(0));
    // f'' = s (1 - s) (2 + x (1 - 2 s)).
    const Value s = emit::sigmoid(e, v);
    const Value slope = emit::multiply(e, s, emit::affine(e, s, -1, 1));
    const Value bend = emit::affine(e, emit::multiply(e, v, emit::affine(e, s, -2, 1)), 1, 2);
    out.push_back(emit::multiply(e, gd, emit::multiply(e, slope, bend)));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_elementwise_grad(p, "grad_silu", p.kernels().grad_silu_f32, p.kernels().grad_silu_f64);
  }
};

struct Silu {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("silu", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(silu_grad_op, SiluGrad{}, {dy[0], call.in(0)}));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "silu", p.kernels().unary_silu_f32, p.kernels().unary_silu_f64);
  }
};

}  // namespace

const OpDef silu_grad_op = define_op<SiluGrad>("silu_grad", "dy, x");
const OpDef silu_op = define_op<Silu>("silu", "x");

Value emit::silu_grad(Emitter& e, const Value& dy, const Value& x) {
  return e.one(silu_grad_op, SiluGrad{}, {dy, x});
}

}  // namespace layernet
