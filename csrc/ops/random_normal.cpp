// random_normal(state; shape, dtype, mean, stddev): normal numbers (Box and Muller 1958); updates the state.
#include "ops/random.h"

namespace layernet {

namespace {

struct RandomNormal : RandomFloats {
  double mean = 0.0, stddev = 1.0;
  template <class V>
  void fields(V& visit) {
    visit("shape", shape);
    visit("dtype", dtype);
    visit("mean", mean);
    visit("stddev", stddev);
  }
  Specs infer(const InSpecs& in) const {
    if (!(stddev >= 0)) throw InvalidArgumentError(join("random_normal: expected stddev >= 0, got ", stddev, "."));
    return infer_floats("random_normal", in);
  }
  void prepare(Preparation& p) const {
    prepare_floats(p, "random_normal", p.kernels().random_normal_f32, p.kernels().random_normal_f64, mean, stddev);
  }
};

}  // namespace

const OpDef random_normal_op = define_op<RandomNormal>("random_normal", "state", {1, -1, false, kRandomNoGradient});

}  // namespace layernet
