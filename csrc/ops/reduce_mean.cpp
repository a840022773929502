// reduce_mean(x; axis, all, keepdims): the mean over some axes; of nothing it is NaN, as in numpy.
#include "ops/reduction.h"

namespace layernet {

extern const OpDef reduce_mean_grad_op;

namespace {

// dx = dy / count, spread over x's shape. The count is found when running, since it may hang on the batch symbol.
struct ReduceMeanGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("reduce_mean_grad", in, 2);
    expect_floating("reduce_mean_grad", in.dtype(0));
    broadcast("reduce_mean_grad", in.shape(0), in.shape(1));
    return one_spec(in.dtype(0), in.shape(1));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    // The mean of dy over the axes that were spread.
    Ints axes;
    for (std::size_t i = 0; i < call.in(1).rank(); ++i)
      if (call.in(0).shape()[i] == Dim(1) && call.in(1).shape()[i] != Dim(1))
        axes.push_back(static_cast<std::int64_t>(i));
    Values out;
    out.push_back(axes.empty() ? dy[0] : emit::reduce_mean(e, dy[0], axes, true));
    out.push_back(Value());
    return out;
  }
  void prepare(Preparation& p) const {
    const Spec& g = p.in(0);
    p.scratch(element_count(g.shape, "reduce_mean_grad"), item_size(g.dtype));
    p.params<DType>() = g.dtype;
    p.run(run, "reduce_mean_grad");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const View &g = b.in[0], &y = b.out[0];
    if (y.size() == 0) return;
    const double p[2] = {static_cast<double>(g.size()) / static_cast<double>(y.size()), 0};
    const View scaled{b.scratch, g.shape};
    const bool f64 = step.get<DType>() == DType::float64;
    if (f64)
      step.kernels->unary_affine_f64(g.as<double>(), scaled.as<double>(), g.size(), p);
    else
      step.kernels->unary_affine_f32(g.as<float>(), scaled.as<float>(), g.size(), p);
    copy_broadcast(step, scaled, *y.shape, f64 ? 8 : 4, y.data);
  }
};

struct ReduceMean : Reduction {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 1) expect_floating("reduce_mean", in.dtype(0));
    return infer_reduction("reduce_mean", in, in.dtype(0));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(
        e.one(reduce_mean_grad_op, ReduceMeanGrad{}, {restored("reduce_mean", e, dy[0], call.in(0)), call.in(0)}));
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_reduction(p, "reduce_mean", {k.reduce_sum_f32, k.reduce_sum_f64, nullptr, nullptr}, true);
  }
};

}  // namespace

const OpDef reduce_mean_grad_op = define_op<ReduceMeanGrad>("reduce_mean_grad", "dy, x");
const OpDef reduce_mean_op = define_op<ReduceMean>("reduce_mean", "x");

Value emit::reduce_mean_grad(Emitter& e, const Value& g, const Value& x) {
  return e.one(reduce_mean_grad_op, ReduceMeanGrad{}, {g, x});
}

Value emit::reduce_mean(Emitter& e, const Value& x, const Ints& axes, bool keepdims) {
  ReduceMean op;
  op.axis = axes;
  op.all = false;
  op.keepdims = keepdims;
  return e.one(reduce_mean_op, op, {x});
}

}  // namespace layernet
