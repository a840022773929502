// max_pool(x; size, strides, padding): the largest element of each window over the spatial axes; padding never wins.
// The gradient goes to the first of equals.
#include "ops/pool.h"

namespace layernet {

namespace {

// y = the elements of g at the places where x is largest: inputs g, x. The transpose of max_pool_grad, which second
// derivatives need.
struct MaxPoolPick : PoolFields {
  Specs infer(const InSpecs& in) const {
    expect_inputs("max_pool_pick", in, 2);
    expect_floating("max_pool_pick", in.dtype(0));
    expect_same_dtype("max_pool_pick", in.dtype(0), in.dtype(1));
    expect_rank("max_pool_pick", in.shape(0), in.rank(1));
    for (std::size_t i = 0; i < in.rank(1); ++i) same_dim("max_pool_pick", "sizes", in.shape(0)[i], in.shape(1)[i]);
    return one_spec(in.dtype(0), pooled("max_pool_pick", in.shape(1)));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  void prepare(Preparation& p) const { set(p, "max_pool_pick", p.in(1).shape.size(), run<float>, run<double>); }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const kernels::WindowDims d = window_dims(step.get<WindowParams>(), b.in[1], b.out[0]);
    LN_PICK(T, *step.kernels, max_pool_pick)(b.in[1].as<T>(), b.in[0].as<T>(), b.out[0].as<T>(), &d);
  }
};

// dx: dy at the first maximum of each window, else 0. Inputs dy, x.
struct MaxPoolGrad : PoolFields {
  Specs infer(const InSpecs& in) const { return infer_grad("max_pool_grad", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    MaxPoolPick pick;
    static_cast<PoolFields&>(pick) = *this;
    Values out(2);
    out[0] = e.one(max_pool_pick_op, pick, {dy[0], call.in(1)});
    return out;
  }
  void prepare(Preparation& p) const { set(p, "max_pool_grad", p.in(1).shape.size(), run<float>, run<double>); }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const kernels::WindowDims d = window_dims(step.get<WindowParams>(), b.in[1], b.in[0]);
    LN_PICK(T, *step.kernels, max_pool_grad)(b.in[1].as<T>(), b.in[0].as<T>(), b.out[0].as<T>(), &d);
  }
};

struct MaxPool : PoolFields {
  Specs infer(const InSpecs& in) const {
    expect_inputs("max_pool", in, 1);
    expect_floating("max_pool", in.dtype(0));
    return one_spec(in.dtype(0), pooled("max_pool", in.shape(0)));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    MaxPoolGrad grad;
    static_cast<PoolFields&>(grad) = *this;
    return one_value(e.one(max_pool_grad_op, grad, {dy[0], call.in(0)}));
  }
  void prepare(Preparation& p) const { set(p, "max_pool", p.in(0).shape.size(), run<float>, run<double>); }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const kernels::WindowDims d = window_dims(step.get<WindowParams>(), b.in[0], b.out[0]);
    LN_PICK(T, *step.kernels, max_pool)(b.in[0].as<T>(), b.out[0].as<T>(), &d);
  }
};

Values MaxPoolPick::backward(Emitter& e, const Call& call, const Values& dy) const {
  MaxPoolGrad grad;
  static_cast<PoolFields&>(grad) = *this;
  Values out(2);
  out[0] = e.one(max_pool_grad_op, grad, {dy[0], call.in(1)});
  return out;
}

}  // namespace

const OpDef max_pool_op = define_op<MaxPool>("max_pool", "x");
const OpDef max_pool_grad_op = define_op<MaxPoolGrad>("max_pool_grad", "dy, x");
const OpDef max_pool_pick_op = define_op<MaxPoolPick>("max_pool_pick", "g, x");

}  // namespace layernet
