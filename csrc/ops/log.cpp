// log(x): dx = dy / x.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Log {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_unary_float("log", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::divide(e, dy[0], call.in(0)));
  }
  void prepare(Preparation& p) const { prepare_unary(p, "log", p.kernels().unary_log_f32, p.kernels().unary_log_f64); }
};

}  // namespace

const OpDef log_op = define_op<Log>("log", "x");

Value emit::log(Emitter& e, const Value& x) {
  return e.one(log_op, Log{}, {x});
}

}  // namespace layernet
