// adadelta(v, a, u, g, lr; rho, epsilon): a = rho a + (1 - rho) g^2, d = g sqrt(u + epsilon) / sqrt(a + epsilon),
// u = rho u + (1 - rho) d^2, v = v - lr d (Zeiler 2012).
#include "ops/update.h"

namespace layernet {

namespace {

struct AdadeltaParams {
  double rho, epsilon;
};

struct Adadelta {
  double rho = 0.95, epsilon = 1e-8;
  template <class V>
  void fields(V& visit) {
    visit("rho", rho);
    visit("epsilon", epsilon);
  }
  Specs infer(const InSpecs& in) const { return infer_optimizer("adadelta", in, 3, 1); }
  void prepare(Preparation& p) const {
    p.params<AdadeltaParams>() = {rho, epsilon};
    prepare_update(p, "adadelta", run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<AdadeltaParams>();
    const double p[3] = {number<T>(b.in[4]), own.rho, own.epsilon};
    LN_PICK(T, *step.kernels, adadelta)
    (b.in[0].as<T>(), b.in[1].as<T>(), b.in[2].as<T>(), b.in[3].as<T>(), b.out[0].as<T>(), b.out[1].as<T>(),
     b.out[2].as<T>(), b.out[0].size(), p);
  }
};

}  // namespace

const OpDef adadelta_op = define_op<Adadelta>("adadelta", "v, a, u, g, lr", {3, -1, false, kUpdateNoGradient});

}  // namespace layernet
