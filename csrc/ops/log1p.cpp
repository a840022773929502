// log1p(x) = log(1 + x), exact near 0: dx = dy / (1 + x).
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Log1p {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("log1p", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::divide(e, dy[0], emit::affine(e, call.in(0), 1, 1)));
  }
  void prepare(Preparation& p) const {
    prepare_unary(p, "log1p", p.kernels().unary_log1p_f32, p.kernels().unary_log1p_f64);
  }
};

}  // namespace

const OpDef log1p_op = define_op<Log1p>("log1p", "x");

}  // namespace layernet
