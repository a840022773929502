// adamax(v, m, s, g, lr_t; beta1, beta2, epsilon): m = beta1 m + (1 - beta1) g, s = max(beta2 s, |g|),
// v = v - lr_t m / (s + epsilon), lr_t with the bias correction (Kingma and Ba 2015, algorithm 2).
#include "ops/update.h"

namespace layernet {

namespace {

struct AdamaxParams {
  double beta1, beta2, epsilon;
};

struct Adamax {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  template <class V>
  void fields(V& visit) {
    visit("beta1", beta1);
    visit("beta2", beta2);
    visit("epsilon", epsilon);
  }
  Specs infer(const InSpecs& in) const { return infer_optimizer("adamax", in, 3, 1); }
  void prepare(Preparation& p) const {
    p.params<AdamaxParams>() = {beta1, beta2, epsilon};
    prepare_update(p, "adamax", run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<AdamaxParams>();
    const double p[4] = {number<T>(b.in[4]), own.beta1, own.beta2, own.epsilon};
    LN_PICK(T, *step.kernels, adamax)
    (b.in[0].as<T>(), b.in[1].as<T>(), b.in[2].as<T>(), b.in[3].as<T>(), b.out[0].as<T>(), b.out[1].as<T>(),
     b.out[2].as<T>(), b.out[0].size(), p);
  }
};

}  // namespace

const OpDef adamax_op = define_op<Adamax>("adamax", "v, m, s, g, lr_t", {3, -1, false, kUpdateNoGradient});

}  // namespace layernet
