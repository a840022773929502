// avg_pool(x; size, strides, padding): the mean of each window over the spatial axes; padding is not counted.
#include "ops/pool.h"

namespace layernet {

namespace {

// dx: each dy shared evenly among the elements of its window. Inputs dy, x (for its shape).
struct AvgPoolGrad : PoolFields {
  Specs infer(const InSpecs& in) const { return infer_grad("avg_pool_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  void prepare(Preparation& p) const { set(p, "avg_pool_grad", p.in(1).shape.size(), run<float>, run<double>); }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const kernels::WindowDims d = window_dims(step.get<WindowParams>(), b.in[1], b.in[0]);
    LN_PICK(T, *step.kernels, avg_pool_grad)(b.in[0].as<T>(), b.out[0].as<T>(), &d);
  }
};

struct AvgPool : PoolFields {
  Specs infer(const InSpecs& in) const {
    expect_inputs("avg_pool", in, 1);
    expect_floating("avg_pool", in.dtype(0));
    return one_spec(in.dtype(0), pooled("avg_pool", in.shape(0)));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    AvgPoolGrad grad;
    static_cast<PoolFields&>(grad) = *this;
    return one_value(e.one(avg_pool_grad_op, grad, {dy[0], call.in(0)}));
  }
  void prepare(Preparation& p) const { set(p, "avg_pool", p.in(0).shape.size(), run<float>, run<double>); }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const kernels::WindowDims d = window_dims(step.get<WindowParams>(), b.in[0], b.out[0]);
    LN_PICK(T, *step.kernels, avg_pool)(b.in[0].as<T>(), b.out[0].as<T>(), &d);
  }
};

Values AvgPoolGrad::backward(Emitter& e, const Call&, const Values& dy) const {
  AvgPool again;
  static_cast<PoolFields&>(again) = *this;
  Values out(2);
  out[0] = e.one(avg_pool_op, again, {dy[0]});
  return out;
}

}  // namespace

const OpDef avg_pool_op = define_op<AvgPool>("avg_pool", "x");
const OpDef avg_pool_grad_op = define_op<AvgPoolGrad>("avg_pool_grad", "dy, x");

}  // namespace layernet
