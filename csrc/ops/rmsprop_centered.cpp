// rmsprop_centered(v, s, mom, mg, g, lr; decay, momentum, epsilon): rmsprop with the variance of the gradient,
// mg = decay mg + (1 - decay) g and the denominator sqrt(s - mg^2 + epsilon) (Graves 2013, equations 38 to 45).
#include "ops/update.h"

namespace layernet {

namespace {

struct RmspropParams {
  double decay, momentum, epsilon;
};

struct RmspropCentered {
  double decay = 0.9, momentum = 0.0, epsilon = 1e-10;
  template <class V>
  void fields(V& visit) {
    visit("decay", decay);
    visit("momentum", momentum);
    visit("epsilon", epsilon);
  }
  Specs infer(const InSpecs& in) const { return infer_optimizer("rmsprop_centered", in, 4, 1); }
  void prepare(Preparation& p) const {
    p.params<RmspropParams>() = {decay, momentum, epsilon};
    prepare_update(p, "rmsprop", run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<RmspropParams>();
    const double p[4] = {number<T>(b.in[5]), own.decay, own.momentum, own.epsilon};
    LN_PICK(T, *step.kernels, rmsprop)
    (b.in[0].as<T>(), b.in[1].as<T>(), b.in[2].as<T>(), b.in[3].as<T>(), b.in[4].as<T>(), b.out[0].as<T>(),
     b.out[1].as<T>(), b.out[2].as<T>(), b.out[3].as<T>(), b.out[0].size(), p);
  }
};

}  // namespace

const OpDef rmsprop_centered_op =
    define_op<RmspropCentered>("rmsprop_centered", "v, s, mom, mg, g, lr", {4, -1, false, kUpdateNoGradient});

}  // namespace layernet
