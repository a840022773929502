// log_softmax(x; axis) = x - log(sum(exp(x))) along one axis, without forming the exponentials of large numbers.
#include "ops/rows.h"

namespace layernet {

namespace {

// dx = dy - exp(y) sum(dy), by the output y.
struct LogSoftmaxGrad : RowAxis {
  Specs infer(const InSpecs& in) const {
    Specs out = infer_elementwise_grad("log_softmax_grad", in);
    axis_index("log_softmax_grad", axis, in.rank(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &d = call.in(0);
    const Value weighted = emit::multiply(e, g, emit::exp(e, call.in(1)));
    Values out(2);
    if (call.wants(0)) out[0] = emit::subtract(e, g, sum(e, weighted));
    if (call.wants(1)) out[1] = emit::negative(e, emit::multiply(e, weighted, sum(e, d)));
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_rows_grad(p, "log_softmax_grad", axis, p.kernels().log_softmax_grad_f32, p.kernels().log_softmax_grad_f64);
  }
};

struct LogSoftmax : RowAxis {
  Specs infer(const InSpecs& in) const {
    Specs out = infer_unary_float("log_softmax", in);
    axis_index("log_softmax", axis, in.rank(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(log_softmax_grad_op, LogSoftmaxGrad{{axis}}, {dy[0], call.out()}));
  }
  void prepare(Preparation& p) const {
    prepare_rows(p, "log_softmax", axis, p.kernels().log_softmax_f32, p.kernels().log_softmax_f64);
  }
};

}  // namespace

const OpDef log_softmax_op = define_op<LogSoftmax>("log_softmax", "x");
const OpDef log_softmax_grad_op = define_op<LogSoftmaxGrad>("log_softmax_grad", "dy, y");

Value emit::log_softmax(Emitter& e, const Value& x, std::int64_t axis) {
  return e.one(log_softmax_op, LogSoftmax{{axis}}, {x});
}

}  // namespace layernet
