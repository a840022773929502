// argmin(x; axis): position of the smallest element along one axis, int64; the first of equals, and NaN before all.
#include "ops/arg_reduction.h"

namespace layernet {

namespace {

struct Argmin : ArgReduction {
  Specs infer(const InSpecs& in) const { return infer_arg("argmin", in); }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_arg(p, "argmin", {k.argmin_f32, k.argmin_f64, k.argmin_i32, k.argmin_i64, k.argmin_i8, k.argmin_u8});
  }
};

}  // namespace

const OpDef argmin_op = define_op<Argmin>("argmin", "x", {0, -1, false, "a position is an integer"});

}  // namespace layernet
