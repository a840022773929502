// random_uniform(state; shape, dtype, low, high): numbers evenly spread over [low, high); updates the state.
#include "ops/random.h"

namespace layernet {

namespace {

struct RandomUniform : RandomFloats {
  double low = 0.0, high = 1.0;
  template <class V>
  void fields(V& visit) {
    visit("shape", shape);
    visit("dtype", dtype);
    visit("low", low);
    visit("high", high);
  }
  Specs infer(const InSpecs& in) const {
    if (!(low <= high))
      throw InvalidArgumentError(join("random_uniform: expected low <= high, got ", low, " and ", high, "."));
    return infer_floats("random_uniform", in);
  }
  void prepare(Preparation& p) const {
    prepare_floats(p, "random_uniform", p.kernels().random_uniform_f32, p.kernels().random_uniform_f64, low, high);
  }
};

}  // namespace

const OpDef random_uniform_op = define_op<RandomUniform>("random_uniform", "state", {1, -1, false, kRandomNoGradient});

}  // namespace layernet
