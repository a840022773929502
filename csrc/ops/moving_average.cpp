// moving_average(v, value; momentum): v = momentum v + (1 - momentum) value.
#include <algorithm>

#include "ops/update.h"

namespace layernet {

namespace {

struct MovingAverageParams {
  double momentum;
};

constexpr std::size_t kBlock = 512;  // elements of the temporary

struct MovingAverage {
  double momentum = 0.99;
  template <class V>
  void fields(V& visit) {
    visit("momentum", momentum);
  }
  Specs infer(const InSpecs& in) const { return infer_optimizer("moving_average", in, 1, 0); }
  void prepare(Preparation& p) const {
    p.params<MovingAverageParams>() = {momentum};
    prepare_update(p, "moving_average", run<float>, run<double>);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const double momentum = step.get<MovingAverageParams>().momentum;
    const double old_share[2] = {momentum, 0}, new_share[2] = {1 - momentum, 0};
    const auto affine = LN_PICK(T, *step.kernels, unary_affine);
    const std::size_t count = b.out[0].size();
    alignas(64) T share[kBlock];
    for (std::size_t at = 0; at < count; at += kBlock) {
      const std::size_t n = std::min(kBlock, count - at);
      T* to = b.out[0].as<T>() + at;
      affine(b.in[1].as<T>() + at, share, n, new_share);
      affine(b.in[0].as<T>() + at, to, n, old_share);
      LN_PICK(T, *step.kernels, binary_add)(to, share, to, n, 0);
    }
  }
};

}  // namespace

const OpDef moving_average_op =
    define_op<MovingAverage>("moving_average", "v, value", {1, -1, false, kUpdateNoGradient});

}  // namespace layernet
