// lion(v, m, g, lr; beta1, beta2, weight_decay): v = v - lr sign(beta1 m + (1 - beta1) g) - weight_decay lr v, then
// m = beta2 m + (1 - beta2) g (Chen et al. 2023).
#include "ops/update.h"

namespace layernet {

namespace {

struct LionParams {
  double beta1, beta2, weight_decay;
};

struct Lion {
  double beta1 = 0.9, beta2 = 0.99, weight_decay = 0.0;
  template <class V>
  void fields(V& visit) {
    visit("beta1", beta1);
    visit("beta2", beta2);
    visit("weight_decay", weight_decay);
  }
  Specs infer(const InSpecs& in) const { return infer_optimizer("lion", in, 2, 1); }
  void prepare(Preparation& p) const {
    p.params<LionParams>() = {beta1, beta2, weight_decay};
    prepare_update(p, "lion", run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<LionParams>();
    const double rate = number<T>(b.in[3]);
    const double p[4] = {rate, own.beta1, own.beta2, own.weight_decay * rate};
    LN_PICK(T, *step.kernels, lion)
    (b.in[0].as<T>(), b.in[1].as<T>(), b.in[2].as<T>(), b.out[0].as<T>(), b.out[1].as<T>(), b.out[0].size(), p);
  }
};

}  // namespace

const OpDef lion_op = define_op<Lion>("lion", "v, m, g, lr", {2, -1, false, kUpdateNoGradient});

}  // namespace layernet
