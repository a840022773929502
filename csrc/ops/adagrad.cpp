// adagrad(v, acc, g, lr): acc = acc + g^2, v = v - lr g / sqrt(acc) (Duchi et al. 2011).
#include "ops/update.h"

namespace layernet {

namespace {

struct Adagrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_optimizer_rows("adagrad", in, 2, 1); }
  void prepare(Preparation& p) const {
    const UpdateRows rows = prepare_rows(p, 2, 1);
    p.params<UpdateRows>() = rows;
    prepare_update(p, "adagrad", run<float>, run<double>, rows.given);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const double p[1] = {number<T>(b.in[3])};
    const auto kernel = LN_PICK(T, *step.kernels, adagrad);
    update<2, T>(b, step.get<UpdateRows>(), [&](auto* in, const T* g, auto* out, std::size_t n) {
      kernel(in[0], in[1], g, out[0], out[1], n, p);
    });
  }
};

}  // namespace

const OpDef adagrad_op = define_op<Adagrad>("adagrad", "v, acc, g, lr, indices?", {2, -1, false, kUpdateNoGradient});

}  // namespace layernet
