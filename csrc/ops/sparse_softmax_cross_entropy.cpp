// sparse_softmax_cross_entropy(logits, labels) = -log_softmax(logits)[labels], one loss per row, labels being class
// numbers, and slope = softmax(logits) - one_hot(labels), its derivative. A label outside [0, classes) gives NaN for
// both.
#include <limits>

#include "ops/cross_entropy.h"
#include "ops/indices.h"

namespace layernet {

namespace {

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
  static void scratch(Preparation& p) {
    const Dim rows = element_count(p.in(1).shape, "sparse_softmax_cross_entropy");
    p.scratch(rows, sizeof(std::int64_t));
    p.scratch(rows, 1);
  }
};

struct SparseParams {
  bool narrow;
};

struct SparseSoftmaxCrossEntropy {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    const char* const who = "sparse_softmax_cross_entropy";
    expect_inputs(who, in, 2);
    expect_floating(who, in.dtype(0));
    expect_index(who, in.dtype(1));
    expect_min_rank(who, in.shape(0), 1);
    const Shape &x = in.shape(0), &z = in.shape(1);
    if (z.size() + 1 != x.size())
      fail_shape(who, join("labels of shape ", Shape(x.begin(), x.end() - 1), " for logits of shape ", x),
                 join("shape ", z));
    for (std::size_t i = 0; i < z.size(); ++i) same_dim(who, "numbers of rows", x[i], z[i]);
    Specs out = one_spec(in.dtype(0), in.shape(1));
    out.push_back(in[0]);
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out(2);
    out[0] = emit::cross_entropy_grad(e, call, dy, Value());
    return out;
  }
  void prepare(Preparation& p) const {
    p.params<SparseParams>() = {p.in(1).dtype == DType::int32};
    Labels::scratch(p);
    p.run(p.in(0).dtype == DType::float64 ? run<double> : run<float>, "sparse_softmax_xent");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    auto* room = static_cast<unsigned char*>(b.scratch);
    const Labels l(b.in[1], step.get<SparseParams>().narrow, b.in[0], room);
    T *loss = b.out[0].as<T>(), *slope = b.out[1].as<T>();
    if (l.classes != 0)
      LN_PICK(T, *step.kernels, sparse_softmax_xent)(b.in[0].as<T>(), l.label, loss, slope, l.rows, l.classes);
    l.mark(loss, 1);
    l.mark(slope, l.classes);
  }
};

}  // namespace

const OpDef sparse_softmax_cross_entropy_op = define_op<SparseSoftmaxCrossEntropy>(
    "sparse_softmax_cross_entropy", "logits, labels_index", {0, -1, false, nullptr, true});

}  // namespace layernet
