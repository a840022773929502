// sigmoid_cross_entropy(logits, labels), elementwise: -z log(sigmoid(x)) - (1 - z) log(1 - sigmoid(x)) for logits x and
// labels z, in the form max(x, 0) - x z + log(1 + exp(-|x|)), which neither overflows nor cancels.
#include "ops/kernel_pick.h"

namespace layernet {

namespace {

// Elements per pass: the three temporaries stay in the first-level cache.
constexpr std::size_t kBlock = 512;

struct SigmoidCrossEntropy {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_elementwise_grad("sigmoid_cross_entropy", in); }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &x = call.in(0), &z = call.in(1);
    Values out(2);
    if (call.wants(0)) out[0] = emit::multiply(e, dy[0], emit::subtract(e, emit::sigmoid(e, x), z));
    if (call.wants(1)) out[1] = emit::negative(e, emit::multiply(e, dy[0], x));
    return out;
  }
  void prepare(Preparation& p) const {
    p.run(p.in(0).dtype == DType::float64 ? run<double> : run<float>, "sigmoid_cross_entropy");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& k = *step.kernels;
    const T *x = b.in[0].as<T>(), *z = b.in[1].as<T>();
    T* y = b.out[0].as<T>();
    const std::size_t count = b.out[0].size();
    alignas(64) T tail[kBlock], product[kBlock], rise[kBlock];
    for (std::size_t at = 0; at < count; at += kBlock) {
      const std::size_t n = count - at < kBlock ? count - at : kBlock;
      LN_PICK(T, k, unary_abs)(x + at, tail, n, nullptr);
      LN_PICK(T, k, unary_negative)(tail, tail, n, nullptr);
      LN_PICK(T, k, unary_softplus)(tail, tail, n, nullptr);
      LN_PICK(T, k, binary_multiply)(x + at, z + at, product, n, 0);
      LN_PICK(T, k, unary_relu)(x + at, rise, n, nullptr);
      LN_PICK(T, k, binary_subtract)(rise, product, rise, n, 0);
      LN_PICK(T, k, binary_add)(rise, tail, y + at, n, 0);
    }
  }
};

}  // namespace

const OpDef sigmoid_cross_entropy_op = define_op<SigmoidCrossEntropy>("sigmoid_cross_entropy", "logits, labels");

}  // namespace layernet
