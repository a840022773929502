// adadelta(v, a, u, g, lr; rho, epsilon): a = rho a + (1 - rho) g^2, d = g sqrt(u + epsilon) / sqrt(a + epsilon),
// u = rho u + (1 - rho) d^2, v = v - lr d (Zeiler 2012).
#include "ops/update.h"

namespace layernet {

namespace {

struct AdadeltaParams : UpdateRows {
  double rho, epsilon;
};

struct Adadelta {
  double rho = 0.95, epsilon = 1e-8;
  template <class V>
  void fields(V& visit) {
    visit("rho", rho);
    visit("epsilon", epsilon);
  }
  Specs infer(const InSpecs& in) const { return infer_optimizer_rows("adadelta", in, 3, 1); }
  void prepare(Preparation& p) const {
    const UpdateRows rows = prepare_rows(p, 3, 1);
    p.params<AdadeltaParams>() = {rows, rho, epsilon};
    prepare_update(p, "adadelta", run<float>, run<double>, rows.given);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<AdadeltaParams>();
    const double p[3] = {number<T>(b.in[4]), own.rho, own.epsilon};
    const auto kernel = LN_PICK(T, *step.kernels, adadelta);
    update<3, T>(b, own, [&](auto* in, const T* g, auto* out, std::size_t n) {
      kernel(in[0], in[1], in[2], g, out[0], out[1], out[2], n, p);
    });
  }
};

}  // namespace

const OpDef adadelta_op =
    define_op<Adadelta>("adadelta", "v, a, u, g, lr, indices?", {3, -1, false, kUpdateNoGradient});

}  // namespace layernet
