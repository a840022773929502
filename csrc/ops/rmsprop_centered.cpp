// rmsprop_centered(v, s, mom, mg, g, lr; decay, momentum, epsilon): rmsprop with the variance of the gradient,
// mg = decay mg + (1 - decay) g and the denominator sqrt(s - mg^2 + epsilon) (Graves 2013, equations 38 to 45).
#include "ops/update.h"

namespace layernet {

namespace {

struct RmspropParams : UpdateRows {
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
  Specs infer(const InSpecs& in) const { return infer_optimizer_rows("rmsprop_centered", in, 4, 1); }
  void prepare(Preparation& p) const {
    const UpdateRows rows = prepare_rows(p, 4, 1);
    p.params<RmspropParams>() = {rows, decay, momentum, epsilon};
    prepare_update(p, "rmsprop", run<float>, run<double>, rows.given);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<RmspropParams>();
    const double p[4] = {number<T>(b.in[5]), own.decay, own.momentum, own.epsilon};
    const auto kernel = LN_PICK(T, *step.kernels, rmsprop);
    update<4, T>(b, own, [&](auto* in, const T* g, auto* out, std::size_t n) {
      kernel(in[0], in[1], in[2], in[3], g, out[0], out[1], out[2], out[3], n, p);
    });
  }
};

}  // namespace

const OpDef rmsprop_centered_op =
    define_op<RmspropCentered>("rmsprop_centered", "v, s, mom, mg, g, lr, indices?", {4, -1, false, kUpdateNoGradient});

}  // namespace layernet
