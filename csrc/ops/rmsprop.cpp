// rmsprop(v, s, mom, g, lr; decay, momentum, epsilon): s = decay s + (1 - decay) g^2,
// mom = momentum mom + lr g / sqrt(s + epsilon), v = v - mom (Tieleman and Hinton 2012; epsilon under the root).
#include "ops/update.h"

namespace layernet {

namespace {

struct RmspropParams {
  double decay, momentum, epsilon;
};

struct Rmsprop {
  double decay = 0.9, momentum = 0.0, epsilon = 1e-10;
  template <class V>
  void fields(V& visit) {
    visit("decay", decay);
    visit("momentum", momentum);
    visit("epsilon", epsilon);
  }
  Specs infer(const InSpecs& in) const { return infer_optimizer("rmsprop", in, 3, 1); }
  void prepare(Preparation& p) const {
    p.params<RmspropParams>() = {decay, momentum, epsilon};
    prepare_update(p, "rmsprop", run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<RmspropParams>();
    const double p[4] = {number<T>(b.in[4]), own.decay, own.momentum, own.epsilon};
    LN_PICK(T, *step.kernels, rmsprop)
    (b.in[0].as<T>(), b.in[1].as<T>(), b.in[2].as<T>(), nullptr, b.in[3].as<T>(), b.out[0].as<T>(), b.out[1].as<T>(),
     b.out[2].as<T>(), nullptr, b.out[0].size(), p);
  }
};

}  // namespace

const OpDef rmsprop_op = define_op<Rmsprop>("rmsprop", "v, s, mom, g, lr", {3, -1, false, kUpdateNoGradient});

}  // namespace layernet
