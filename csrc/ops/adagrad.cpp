// adagrad(v, acc, g, lr): acc = acc + g^2, v = v - lr g / sqrt(acc) (Duchi et al. 2011).
#include "ops/update.h"

namespace layernet {

namespace {

struct Adagrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_optimizer("adagrad", in, 2, 1); }
  void prepare(Preparation& p) const { prepare_update(p, "adagrad", run<float>, run<double>); }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const double p[1] = {number<T>(b.in[3])};
    LN_PICK(T, *step.kernels, adagrad)
    (b.in[0].as<T>(), b.in[1].as<T>(), b.in[2].as<T>(), b.out[0].as<T>(), b.out[1].as<T>(), b.out[0].size(), p);
  }
};

}  // namespace

const OpDef adagrad_op = define_op<Adagrad>("adagrad", "v, acc, g, lr", {2, -1, false, kUpdateNoGradient});

}  // namespace layernet
