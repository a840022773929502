// argmax(x; axis): position of the largest element along one axis, int64; the first of equals, and NaN before all.
#include "ops/arg_reduction.h"

namespace layernet {

namespace {

struct Argmax : ArgReduction {
  Specs infer(const InSpecs& in) const { return infer_arg("argmax", in); }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_arg(p, "argmax", {k.argmax_f32, k.argmax_f64, k.argmax_i32, k.argmax_i64, k.argmax_i8, k.argmax_u8});
  }
};

}  // namespace

const OpDef argmax_op = define_op<Argmax>("argmax", "x", {0, -1, false, "a position is an integer"});

}  // namespace layernet
