// random_truncated_normal(state; shape, dtype, mean, stddev): normal numbers within two standard deviations of the
// mean; updates the state.
#include "ops/random.h"

namespace layernet {

namespace {

struct RandomTruncatedNormal : RandomFloats {
  double mean = 0.0, stddev = 1.0;
  template <class V>
  void fields(V& visit) {
    visit("shape", shape);
    visit("dtype", dtype);
    visit("mean", mean);
    visit("stddev", stddev);
  }
  Specs infer(const InSpecs& in) const {
    if (!(stddev >= 0))
      throw InvalidArgumentError(join("random_truncated_normal: expected stddev >= 0, got ", stddev, "."));
    return infer_floats("random_truncated_normal", in);
  }
  void prepare(Preparation& p) const {
    prepare_floats(p, "random_truncated_normal", p.kernels().random_truncated_normal_f32,
                   p.kernels().random_truncated_normal_f64, mean, stddev);
  }
};

}  // namespace

const OpDef random_truncated_normal_op =
    define_op<RandomTruncatedNormal>("random_truncated_normal", "state", {1, -1, false, kRandomNoGradient});

}  // namespace layernet
