// What dense and the convolutions share as activation(product + bias + residual): the attributes of the activation, the
// rules of inputs 2 (bias, one number per output channel) and 3 (residual, like the output), the gradient up to the
// product, and what a plan may fuse into them.
#pragma once

#include "kernels/kernel_args.h"
#include "ops/op_util.h"

namespace layernet {

// Order and numbers of kernels::Activation.
constexpr const char* kActivations[kernels::kActCount] = {"linear",    "relu",     "tanh",     "sigmoid",      "elu",
                                                          "selu",      "softplus", "softsign", "hard_sigmoid", "gelu",
                                                          "gelu_tanh", "silu",     "mish",     "leaky_relu"};

struct FusedFields {
  int activation = kernels::kActNone;
  double alpha = 1.0;
  template <class V>
  void fields(V& visit) {
    visit.choice("activation", activation, kActivations, kernels::kActCount);
    visit("alpha", alpha);
  }

  // Takes over what follows: a batch norm, a bias, a residual (if the op takes one), an activation. The output's
  // channels are the last axis of the weights, input 1, or the first.
  bool absorb(const Fusion& f, bool channels_last, bool takes_residual);
};

// Checks bias and residual, as far as they are there, against a product of this shape, which may become better known.
void check_bias_and_residual(const char* who, const InSpecs& in, Shape& out);

// The activation whose op this is, or with suffix "_grad" the one whose gradient it is; kActNone when it is neither.
int activation_of(const OpDef& op, const void* attributes, const char* suffix, double* alpha);
// Whether f'(z) follows from f(z) alone, so that nothing is computed again for a gradient.
bool gradient_by_output(int activation) noexcept;
// dy f'(z), v being f(z) or z.
Value activation_grad(Emitter& e, int activation, double alpha, const Value& dy, const Value& v);

// The gradient of product + bias + residual, for dy of the op's result.
template <class Op>
Value gradient_of_sum(const Op& op, Emitter& e, const Call& call, const Value& dy) {
  if (op.activation == kernels::kActNone) return dy;
  if (gradient_by_output(op.activation)) return activation_grad(e, op.activation, op.alpha, dy, call.out());
  Op linear = op;
  linear.activation = kernels::kActNone;
  return activation_grad(e, op.activation, op.alpha, dy, e.one(*call.op, linear, *call.inputs));
}

// The gradient of the bias: g summed over all axes but the last.
Value bias_gradient(Emitter& e, const Value& g);

}  // namespace layernet
