// softmax_cross_entropy(logits, labels) = -sum(labels * log_softmax(logits)) over the last axis: one loss per row.
// labels are probabilities of logits' shape; they need not sum to 1.
#include "ops/cross_entropy.h"

namespace layernet {

namespace {

Shape common_shape(const char* who, const InSpecs& in, std::size_t logits, std::size_t labels) {
  expect_floating(who, in.dtype(logits));
  expect_same_dtype(who, in.dtype(logits), in.dtype(labels));
  expect_min_rank(who, in.shape(logits), 1);
  if (in.rank(logits) != in.rank(labels))
    fail_shape(who, join("labels of shape ", in.shape(logits)), to_string(in.shape(labels)));
  Shape s = in.shape(logits);
  for (std::size_t i = 0; i < s.size(); ++i)
    s[i] = same_dim(who, "sizes of logits and labels", s[i], in.shape(labels)[i]);
  return s;
}

// dlogits = dy (softmax(logits) sum(labels) - labels): inputs dy, logits, labels.
struct SoftmaxCrossEntropyGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("softmax_cross_entropy_grad", in, 3);
    return one_spec(in.dtype(1), common_shape("softmax_cross_entropy_grad", in, 1, 2));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &labels = call.in(2);
    const Value d = emit::per_row(e, call.in(0)), y = emit::softmax(e, call.in(1)),
                total = emit::sum_rows(e, labels, true);
    Values out(3);
    if (call.wants(0)) {
      const Value slope = emit::subtract(e, emit::multiply(e, y, total), labels);
      out[0] = emit::sum_rows(e, emit::multiply(e, g, slope), false);
    }
    if (call.wants(1)) out[1] = emit::softmax_grad(e, emit::multiply(e, g, emit::multiply(e, d, total)), y);
    if (call.wants(2)) {
      const Value mean = emit::sum_rows(e, emit::multiply(e, g, y), true);
      out[2] = emit::multiply(e, d, emit::subtract(e, mean, g));
    }
    return out;
  }
  void prepare(Preparation& p) const {
    p.scratch(element_count(p.in(0).shape, "softmax_cross_entropy_grad"), item_size(p.in(0).dtype));
    p.run(p.in(0).dtype == DType::float64 ? run<double> : run<float>, "softmax_xent");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const View& logits = b.in[1];
    const std::size_t rows = rows_before_last(logits), n = static_cast<std::size_t>(logits.dim(logits.rank() - 1));
    T* dx = b.out[0].as<T>();
    LN_PICK(T, *step.kernels, softmax_xent)(logits.as<T>(), b.in[2].as<T>(), static_cast<T*>(b.scratch), dx, rows, n);
    scale_rows(step, b.in[0].as<T>(), dx, rows, n);
  }
};

struct SoftmaxCrossEntropy {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("softmax_cross_entropy", in, 2);
    Shape s = common_shape("softmax_cross_entropy", in, 0, 1);
    s.pop_back();
    return one_spec(in.dtype(0), std::move(s));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &logits = call.in(0), &labels = call.in(1);
    Values out(2);
    if (call.wants(0))
      out[0] = e.one(softmax_cross_entropy_grad_op, SoftmaxCrossEntropyGrad{}, {dy[0], logits, labels});
    if (call.wants(1))
      out[1] = emit::negative(e, emit::multiply(e, emit::per_row(e, dy[0]), emit::log_softmax(e, logits)));
    return out;
  }
  void prepare(Preparation& p) const {
    p.run(p.in(0).dtype == DType::float64 ? run<double> : run<float>, "softmax_xent");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const View& logits = b.in[0];
    LN_PICK(T, *step.kernels, softmax_xent)
    (logits.as<T>(), b.in[1].as<T>(), b.out[0].as<T>(), nullptr, rows_before_last(logits),
     static_cast<std::size_t>(logits.dim(logits.rank() - 1)));
  }
};

}  // namespace

const OpDef softmax_cross_entropy_op = define_op<SoftmaxCrossEntropy>("softmax_cross_entropy", "logits, labels");
const OpDef softmax_cross_entropy_grad_op =
    define_op<SoftmaxCrossEntropyGrad>("softmax_cross_entropy_grad", "dy, logits, labels");

}  // namespace layernet
