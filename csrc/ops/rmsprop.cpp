// rmsprop(v, s, mom, g, lr; decay, momentum, epsilon): s = decay s + (1 - decay) g^2,
// mom = momentum mom + lr g / sqrt(s + epsilon), v = v - mom (Tieleman and Hinton 2012; epsilon under the root).
#include "ops/update.h"

namespace layernet {

namespace {

struct RmspropParams : UpdateRows {
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
  Specs infer(const InSpecs& in) const { return infer_optimizer_rows("rmsprop", in, 3, 1); }
  void prepare(Preparation& p) const {
    const UpdateRows rows = prepare_rows(p, 3, 1);
    p.params<RmspropParams>() = {rows, decay, momentum, epsilon};
    prepare_update(p, "rmsprop", run<float>, run<double>, rows.given);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<RmspropParams>();
    const double p[4] = {number<T>(b.in[4]), own.decay, own.momentum, own.epsilon};
    const auto kernel = LN_PICK(T, *step.kernels, rmsprop);
    update<3, T>(b, own, [&](auto* in, const T* g, auto* out, std::size_t n) {
      kernel(in[0], in[1], in[2], nullptr, g, out[0], out[1], out[2], nullptr, n, p);
    });
  }
};

}  // namespace

const OpDef rmsprop_op = define_op<Rmsprop>("rmsprop", "v, s, mom, g, lr, indices?", {3, -1, false, kUpdateNoGradient});

}  // namespace layernet
