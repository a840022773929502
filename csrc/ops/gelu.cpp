// gelu(x) = x Phi(x) with the normal distribution function Phi (Hendrycks and Gimpel 2016); approximate:
// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
#include "ops/op_util.h"

namespace layernet {

extern const OpDef gelu_grad_op;

namespace {

constexpr double kInvSqrtTwoPi = 0.3989422804014327;   // 1 / sqrt(2 pi)
constexpr double kSqrtTwoOverPi = 0.7978845608028654;  // sqrt(2 / pi)
constexpr double kCubic = 0.044715;

// dx = dy f'(x).
struct GeluGrad {
  bool approximate = false;
  template <class V>
  void fields(V& visit) {
    visit("approximate", approximate);
  }
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("gelu_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &x = call.in(1);
    const Value x2 = emit::square(e, x);
    Value second;
    if (!approximate) {
      // f'' = (2 - x^2) phi(x), phi the normal density.
      const Value density = emit::affine(e, emit::exp(e, emit::affine(e, x2, -0.5)), kInvSqrtTwoPi);
      second = emit::multiply(e, density, emit::affine(e, x2, -1, 2));
    } else {
      // With u = c (x + a x^3), t = tanh u: f'' = (1 - t^2) (u' + x u''/2 - x t u'^2).
      const Value u = emit::multiply(e, emit::affine(e, x, kSqrtTwoOverPi), emit::affine(e, x2, kCubic, 1));
      const Value t = emit::tanh(e, u);
      const Value u1 = emit::affine(e, x2, 3 * kSqrtTwoOverPi * kCubic, kSqrtTwoOverPi);
      const Value half_xu2 = emit::affine(e, x2, 3 * kSqrtTwoOverPi * kCubic);
      const Value last = emit::multiply(e, emit::multiply(e, x, t), emit::square(e, u1));
      second = emit::multiply(e, emit::affine(e, emit::square(e, t), -1, 1),
                              emit::subtract(e, emit::add(e, u1, half_xu2), last));
    }
    Values out;
    out.push_back(e.one(gelu_grad_op, *this, {g, x}));
    out.push_back(emit::multiply(e, emit::multiply(e, g, call.in(0)), second));
    return out;
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    if (approximate) return prepare_elementwise_grad(p, "grad_gelu_tanh", k.grad_gelu_tanh_f32, k.grad_gelu_tanh_f64);
    prepare_elementwise_grad(p, "grad_gelu", k.grad_gelu_f32, k.grad_gelu_f64);
  }
};

struct Gelu {
  bool approximate = false;
  template <class V>
  void fields(V& visit) {
    visit("approximate", approximate);
  }
  Specs infer(const InSpecs& in) const { return infer_unary_float("gelu", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(gelu_grad_op, GeluGrad{approximate}, {dy[0], call.in(0)}));
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    if (approximate) return prepare_unary(p, "gelu_tanh", k.unary_gelu_tanh_f32, k.unary_gelu_tanh_f64);
    prepare_unary(p, "gelu", k.unary_gelu_f32, k.unary_gelu_f64);
  }
};

}  // namespace

const OpDef gelu_grad_op = define_op<GeluGrad>("gelu_grad", "dy, x");
const OpDef gelu_op = define_op<Gelu>("gelu", "x");

Value emit::gelu_grad(Emitter& e, const Value& dy, const Value& x, bool approximate) {
  return e.one(gelu_grad_op, GeluGrad{approximate}, {dy, x});
}

}  // namespace layernet
