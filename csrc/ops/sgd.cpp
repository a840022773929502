// sgd(v, g, lr): v = v - lr g.
#include "ops/update.h"

namespace layernet {

namespace {

struct Sgd {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_optimizer_rows("sgd", in, 1, 1); }
  void prepare(Preparation& p) const {
    const UpdateRows rows = prepare_rows(p, 1, 1);
    p.params<UpdateRows>() = rows;
    prepare_update(p, "sgd", run<float>, run<double>, rows.given);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const double p[1] = {number<T>(b.in[2])};
    const auto kernel = LN_PICK(T, *step.kernels, sgd);
    update<1, T>(b, step.get<UpdateRows>(),
                 [&](auto* in, const T* g, auto* out, std::size_t n) { kernel(in[0], g, out[0], n, p); });
  }
};

}  // namespace

const OpDef sgd_op = define_op<Sgd>("sgd", "v, g, lr, indices?", {1, -1, false, kUpdateNoGradient});

}  // namespace layernet
