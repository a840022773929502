// adam(v, m, s, g, lr_t, lr; beta1, beta2, epsilon, weight_decay, nesterov): m and s are moving averages of g and g^2;
// v = v - lr_t m / (sqrt(s) + epsilon) - weight_decay lr v. lr_t is lr with the bias correction, epsilon has none.
// Nesterov: beta1 m + (1 - beta1) g takes the place of m in the step
// (Kingma and Ba 2015, the form before section 2.1; decoupled decay: Loshchilov and Hutter 2019; Dozat 2016).
#include "ops/update.h"

namespace layernet {

namespace {

struct AdamParams {
  double beta1, beta2, epsilon, weight_decay;
  bool nesterov;
};

struct Adam {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.0;
  bool nesterov = false;
  template <class V>
  void fields(V& visit) {
    visit("beta1", beta1);
    visit("beta2", beta2);
    visit("epsilon", epsilon);
    visit("weight_decay", weight_decay);
    visit("nesterov", nesterov);
  }
  Specs infer(const InSpecs& in) const { return infer_optimizer("adam", in, 3, 2); }
  void prepare(Preparation& p) const {
    p.params<AdamParams>() = {beta1, beta2, epsilon, weight_decay, nesterov};
    prepare_update(p, "adam", run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<AdamParams>();
    const double p[6] = {
        number<T>(b.in[4]),      own.beta1, own.beta2, own.epsilon, own.weight_decay * number<T>(b.in[5]),
        own.nesterov ? 1.0 : 0.0};
    LN_PICK(T, *step.kernels, adam)
    (b.in[0].as<T>(), b.in[1].as<T>(), b.in[2].as<T>(), b.in[3].as<T>(), b.out[0].as<T>(), b.out[1].as<T>(),
     b.out[2].as<T>(), b.out[0].size(), p);
  }
};

}  // namespace

const OpDef adam_op = define_op<Adam>("adam", "v, m, s, g, lr_t, lr", {3, -1, false, kUpdateNoGradient});

}  // namespace layernet
