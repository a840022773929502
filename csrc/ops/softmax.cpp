// softmax(x; axis): y_i = exp(x_i - max x) / sum_j exp(x_j - max x) along one axis. The maximum is taken out for range.
#include "ops/rows.h"

namespace layernet {

namespace {

// dx = y (dy - sum(dy y)), by the output y.
struct SoftmaxGrad : RowAxis {
  Specs infer(const InSpecs& in) const {
    Specs out = infer_elementwise_grad("softmax_grad", in);
    axis_index("softmax_grad", axis, in.rank(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &d = call.in(0), &y = call.in(1);
    Values out(2);
    if (call.wants(0)) out[0] = e.one(softmax_grad_op, *this, {g, y});
    if (call.wants(1)) {
      const Value centred = emit::subtract(e, d, sum(e, emit::multiply(e, d, y)));
      const Value weight = sum(e, emit::multiply(e, g, y));
      out[1] = emit::subtract(e, emit::multiply(e, g, centred), emit::multiply(e, d, weight));
    }
    return out;
  }
  void prepare(Preparation& p) const {
    prepare_rows_grad(p, "softmax_grad", axis, p.kernels().softmax_grad_f32, p.kernels().softmax_grad_f64);
  }
};

struct Softmax : RowAxis {
  Specs infer(const InSpecs& in) const {
    Specs out = infer_unary_float("softmax", in);
    axis_index("softmax", axis, in.rank(0));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(e.one(softmax_grad_op, SoftmaxGrad{{axis}}, {dy[0], call.out()}));
  }
  void prepare(Preparation& p) const {
    prepare_rows(p, "softmax", axis, p.kernels().softmax_f32, p.kernels().softmax_f64);
  }
};

}  // namespace

const OpDef softmax_op = define_op<Softmax>("softmax", "x");
const OpDef softmax_grad_op = define_op<SoftmaxGrad>("softmax_grad", "dy, y");

Value emit::softmax(Emitter& e, const Value& x, std::int64_t axis) {
  return e.one(softmax_op, Softmax{{axis}}, {x});
}

Value emit::softmax_grad(Emitter& e, const Value& dy, const Value& y, std::int64_t axis) {
  return e.one(softmax_grad_op, SoftmaxGrad{{axis}}, {dy, y});
}

}  // namespace layernet
