// momentum(v, a, g, lr; momentum, nesterov): a = momentum a + g, then v = v - lr a; Nesterov: v = v - lr (g + momentum
// a) (Sutskever et al. 2013).
#include "ops/update.h"

namespace layernet {

namespace {

struct MomentumParams {
  double momentum;
  bool nesterov;
};

struct Momentum {
  double momentum = 0.9;
  bool nesterov = false;
  template <class V>
  void fields(V& visit) {
    visit("momentum", momentum);
    visit("nesterov", nesterov);
  }
  Specs infer(const InSpecs& in) const { return infer_optimizer("momentum", in, 2, 1); }
  void prepare(Preparation& p) const {
    p.params<MomentumParams>() = {momentum, nesterov};
    prepare_update(p, "momentum", run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<MomentumParams>();
    const double p[3] = {number<T>(b.in[3]), own.momentum, own.nesterov ? 1.0 : 0.0};
    LN_PICK(T, *step.kernels, momentum)
    (b.in[0].as<T>(), b.in[1].as<T>(), b.in[2].as<T>(), b.out[0].as<T>(), b.out[1].as<T>(), b.out[0].size(), p);
  }
};

}  // namespace

const OpDef momentum_op = define_op<Momentum>("momentum", "v, a, g, lr", {2, -1, false, kUpdateNoGradient});

}  // namespace layernet
