// momentum(v, a, g, lr; momentum, nesterov): a = momentum a + g, then v = v - lr a; Nesterov: v = v - lr (g + momentum
// a) (Sutskever et al. 2013).
#include "ops/update.h"

namespace layernet {

namespace {

struct MomentumParams : UpdateRows {
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
  Specs infer(const InSpecs& in) const { return infer_optimizer_rows("momentum", in, 2, 1); }
  void prepare(Preparation& p) const {
    const UpdateRows rows = prepare_rows(p, 2, 1);
    p.params<MomentumParams>() = {rows, momentum, nesterov};
    prepare_update(p, "momentum", run<float>, run<double>, rows.given);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& own = step.get<MomentumParams>();
    const double p[3] = {number<T>(b.in[3]), own.momentum, own.nesterov ? 1.0 : 0.0};
    const auto kernel = LN_PICK(T, *step.kernels, momentum);
    update<2, T>(
        b, own, [&](auto* in, const T* g, auto* out, std::size_t n) { kernel(in[0], in[1], g, out[0], out[1], n, p); });
  }
};

}  // namespace

const OpDef momentum_op = define_op<Momentum>("momentum", "v, a, g, lr, indices?", {2, -1, false, kUpdateNoGradient});

}  // namespace layernet
