// softmax_cross_entropy(logits, labels) = -sum(labels * log_softmax(logits)) over the last axis, one loss per row, and
// slope = softmax(logits) sum(labels) - labels, its derivative. labels are probabilities of logits' shape; they need
// not sum to 1.
#include "ops/cross_entropy.h"

namespace layernet {

namespace {

struct SoftmaxCrossEntropy {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    const char* const who = "softmax_cross_entropy";
    expect_inputs(who, in, 2);
    expect_floating(who, in.dtype(0));
    expect_same_dtype(who, in.dtype(0), in.dtype(1));
    expect_min_rank(who, in.shape(0), 1);
    if (in.rank(0) != in.rank(1)) fail_shape(who, join("labels of shape ", in.shape(0)), to_string(in.shape(1)));
    Shape slope = in.shape(0);
    for (std::size_t i = 0; i < slope.size(); ++i)
      slope[i] = same_dim(who, "sizes of logits and labels", slope[i], in.shape(1)[i]);
    Shape loss = slope;
    loss.pop_back();
    Specs out = one_spec(in.dtype(0), std::move(loss));
    out.emplace_back(in.dtype(0), std::move(slope));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &logits = call.in(0), &labels = call.in(1);
    Values out(2);
    if (call.wants(0))
      out[0] = emit::cross_entropy_grad(e, call, dy, dy[1] ? emit::sum_rows(e, labels, true) : Value());
    if (call.wants(1)) {
      if (dy[0]) out[1] = emit::negative(e, emit::multiply(e, emit::per_row(e, dy[0]), emit::log_softmax(e, logits)));
      if (dy[1]) {
        const Value mean = emit::sum_rows(e, emit::multiply(e, dy[1], emit::softmax(e, logits)), true);
        const Value part = emit::subtract(e, mean, dy[1]);
        out[1] = out[1] ? emit::add(e, out[1], part) : part;
      }
    }
    return out;
  }
  void prepare(Preparation& p) const {
    p.run(p.in(0).dtype == DType::float64 ? run<double> : run<float>, "softmax_xent");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const View& logits = b.in[0];
    LN_PICK(T, *step.kernels, softmax_xent)
    (logits.as<T>(), b.in[1].as<T>(), b.out[0].as<T>(), b.out[1].as<T>(), rows_before_last(logits),
     static_cast<std::size_t>(logits.dim(logits.rank() - 1)));
  }
};

}  // namespace

const OpDef softmax_cross_entropy_op =
    define_op<SoftmaxCrossEntropy>("softmax_cross_entropy", "logits, labels", {0, -1, false, nullptr, true});

}  // namespace layernet
