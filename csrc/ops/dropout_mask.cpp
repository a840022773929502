// dropout_mask(state, x; rate, noise_shape): 0 with probability `rate`, else 1 / (1 - rate), of x's shape and type;
// updates the state. noise_shape may give another shape, -1 in it meaning x's size (Srivastava et al. 2014).
#include "ops/random.h"

namespace layernet {

namespace {

struct DropoutParams {
  double rate;
};

struct DropoutMask {
  double rate = 0.5;
  Ints noise_shape;
  template <class V>
  void fields(V& visit) {
    visit("rate", rate);
    visit("noise_shape", noise_shape);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("dropout_mask", in, 2);
    expect_state("dropout_mask", in);
    expect_floating("dropout_mask", in.dtype(1));
    if (!(rate >= 0 && rate < 1))
      throw InvalidArgumentError(join("dropout_mask: expected a rate in [0, 1), got ", rate, "."));
    const Shape& x = in.shape(1);
    Shape out = x;
    if (!noise_shape.empty()) {
      if (noise_shape.size() != x.size())
        fail_shape("dropout_mask", join("a noise_shape of ", x.size(), " sizes for inputs of shape ", x),
                   text(noise_shape));
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (noise_shape[i] < -1)
          throw InvalidArgumentError(join("dropout_mask: expected sizes of 0 or more, or -1, got ", noise_shape, "."));
        if (noise_shape[i] >= 0) out[i] = Dim(noise_shape[i]);
      }
    }
    return state_and(in, in.dtype(1), std::move(out));
  }
  void prepare(Preparation& p) const {
    p.params<DropoutParams>() = {rate};
    p.run(p.out(1).dtype == DType::float64 ? run<double> : run<float>, "dropout_mask");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const std::size_t n = b.out[1].size();
    const Draw draw(b, n);
    LN_PICK(T, *step.kernels, dropout_mask)
    (draw.key, draw.counter, b.out[1].as<T>(), n, step.get<DropoutParams>().rate);
  }
};

}  // namespace

const OpDef dropout_mask_op = define_op<DropoutMask>("dropout_mask", "state, x", {1, -1, false, kRandomNoGradient});

}  // namespace layernet
