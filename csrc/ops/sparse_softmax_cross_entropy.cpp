// sparse_softmax_cross_entropy(logits, labels) = -log_softmax(logits)[labels]: one loss per row, labels being class
// numbers. A label outside [0, classes) gives NaN, as loss and as gradient.
#include <limits>

#include "ops/cross_entropy.h"
#include "ops/indices.h"

namespace layernet {

namespace {

void check(const char* who, const InSpecs& in, std::size_t logits, std::size_t labels) {
  expect_floating(who, in.dtype(logits));
  expect_index(who, in.dtype(labels));
  expect_min_rank(who, in.shape(logits), 1);
  const Shape &x = in.shape(logits), &z = in.shape(labels);
  if (z.size() + 1 != x.size())
    fail_shape(who, join("labels of shape ", Shape(x.begin(), x.end() - 1), " for logits of shape ", x),
               join("shape ", z));
  for (std::size_t i = 0; i < z.size(); ++i) same_dim(who, "numbers of rows", x[i], z[i]);
}

// The labels as the kernel takes them: all inside, so that it reads nothing else; `outside` tells which were not.
struct Labels {
  std::int64_t* label;
  std::uint8_t* outside;
  std::size_t rows, classes;
  Labels(const View& labels, bool narrow, const View& logits, unsigned char*& room) noexcept
      : label(take_scratch<std::int64_t>(room, labels.size())),
        outside(take_scratch<std::uint8_t>(room, labels.size())),
        rows(labels.size()),
        classes(static_cast<std::size_t>(logits.dim(logits.rank() - 1))) {
    normal_indices(labels, narrow, static_cast<std::int64_t>(classes), false, label);
    for (std::size_t i = 0; i < rows; ++i) {
      outside[i] = label[i] < 0;
      if (outside[i]) label[i] = 0;
    }
  }
  template <class T>
  void mark(T* values, std::size_t row) const noexcept {
    for (std::size_t i = 0; i < rows; ++i)
      if (outside[i])
        for (std::size_t j = 0; j < row; ++j) values[i * row + j] = std::numeric_limits<T>::quiet_NaN();
  }
  static void scratch(Preparation& p, std::size_t input) {
    const Dim rows = element_count(p.in(input).shape, "sparse_softmax_cross_entropy");
    p.scratch(rows, sizeof(std::int64_t));
    p.scratch(rows, 1);
  }
};

struct SparseParams {
  bool narrow;
};

// dlogits = dy (softmax(logits) - one_hot(labels)): inputs dy, logits, labels.
struct SparseSoftmaxCrossEntropyGrad {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("sparse_softmax_cross_entropy_grad", in, 3);
    check("sparse_softmax_cross_entropy_grad", in, 1, 2);
    return one_spec(in.dtype(1), in.shape(1));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &d = call.in(0), &logits = call.in(1), &labels = call.in(2), &g = dy[0];
    Values out(3);
    if (call.wants(0)) {
      const Value slope = e.one(sparse_softmax_cross_entropy_grad_op, *this, {emit::ones_like(e, d), logits, labels});
      out[0] = emit::sum_rows(e, emit::multiply(e, g, slope), false);
    }
    if (call.wants(1))
      out[1] = emit::softmax_grad(e, emit::multiply(e, g, emit::per_row(e, d)), emit::softmax(e, logits));
    return out;
  }
  void prepare(Preparation& p) const {
    p.params<SparseParams>() = {p.in(2).dtype == DType::int32};
    Labels::scratch(p, 2);
    p.scratch(element_count(p.in(0).shape, "sparse_softmax_cross_entropy_grad"), item_size(p.in(0).dtype));
    p.run(p.in(0).dtype == DType::float64 ? run<double> : run<float>, "sparse_softmax_xent");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const View& logits = b.in[1];
    T* dx = b.out[0].as<T>();
    if (b.out[0].size() == 0) return;
    auto* room = static_cast<unsigned char*>(b.scratch);
    const Labels l(b.in[2], step.get<SparseParams>().narrow, logits, room);
    LN_PICK(T, *step.kernels, sparse_softmax_xent)
    (logits.as<T>(), l.label, take_scratch<T>(room, l.rows), dx, l.rows, l.classes);
    scale_rows(step, b.in[0].as<T>(), dx, l.rows, l.classes);
    l.mark(dx, l.classes);
  }
};

struct SparseSoftmaxCrossEntropy {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("sparse_softmax_cross_entropy", in, 2);
    check("sparse_softmax_cross_entropy", in, 0, 1);
    return one_spec(in.dtype(0), in.shape(1));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out(2);
    out[0] =
        e.one(sparse_softmax_cross_entropy_grad_op, SparseSoftmaxCrossEntropyGrad{}, {dy[0], call.in(0), call.in(1)});
    return out;
  }
  void prepare(Preparation& p) const {
    p.params<SparseParams>() = {p.in(1).dtype == DType::int32};
    Labels::scratch(p, 1);
    p.run(p.in(0).dtype == DType::float64 ? run<double> : run<float>, "sparse_softmax_xent");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    auto* room = static_cast<unsigned char*>(b.scratch);
    const Labels l(b.in[1], step.get<SparseParams>().narrow, b.in[0], room);
    T* loss = b.out[0].as<T>();
    if (l.classes != 0)
      LN_PICK(T, *step.kernels, sparse_softmax_xent)(b.in[0].as<T>(), l.label, loss, nullptr, l.rows, l.classes);
    l.mark(loss, 1);
  }
};

}  // namespace

const OpDef sparse_softmax_cross_entropy_op =
    define_op<SparseSoftmaxCrossEntropy>("sparse_softmax_cross_entropy", "logits, labels_index");
const OpDef sparse_softmax_cross_entropy_grad_op =
    define_op<SparseSoftmaxCrossEntropyGrad>("sparse_softmax_cross_entropy_grad", "dy, logits, labels_index");

}  // namespace layernet
