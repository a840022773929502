// sgd(v, g, lr): v = v - lr g.
#include "ops/update.h"

namespace layernet {

namespace {

struct Sgd {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_optimizer("sgd", in, 1, 1); }
  void prepare(Preparation& p) const { prepare_update(p, "sgd", run<float>, run<double>); }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const double p[1] = {number<T>(b.in[2])};
    LN_PICK(T, *step.kernels, sgd)(b.in[0].as<T>(), b.in[1].as<T>(), b.out[0].as<T>(), b.out[0].size(), p);
  }
};

}  // namespace

const OpDef sgd_op = define_op<Sgd>("sgd", "v, g, lr", {1, -1, false, kUpdateNoGradient});

}  // namespace layernet
