// batch_norm_train(x, gamma, beta; epsilon, axis) -> y, mean, variance: normalisation by the statistics of the batch
// itself (Ioffe and Szegedy 2015), which are given out for the moving averages. The variance is about the mean, divisor
// n.
#include <algorithm>
#include <cmath>

#include "ops/channels.h"

namespace layernet {

namespace {

constexpr const char* kVectors[] = {"gamma", "beta"};

struct NormParams {
  double epsilon;
  std::uint32_t axis;
};

struct NormFields {
  double epsilon = 1e-3;
  std::int64_t axis = -1;
  bool couples_rows(const InSpecs&) const { return true; }  // through the statistics
  template <class V>
  void fields(V& visit) {
    visit("epsilon", epsilon);
    visit("axis", axis);
  }
};

// Vectors of c channels in scratch, and the room of channel_sum.
template <class T>
void scratch_for(Preparation& p, const Shape& x, std::size_t axis, int vectors, const char* who) {
  for (int i = 0; i < vectors; ++i) p.scratch(x[axis], sizeof(T));
  if (axis + 1 == x.size()) return;
  p.scratch(element_count(Shape(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(axis) + 1), who), sizeof(T));
}

// y = (x - mean) * scale + shift, in blocks. The mean goes first: folding it into the shift would cancel when it is
// large.
template <class T>
void centred_affine(const Step& step, const T* x, const T* minus_mean, const T* ones, const T* scale, const T* shift,
                    T* y, const ChannelLayout& l) noexcept {
  const std::size_t block = channel_block<T>(l);
  for (std::size_t o = 0; o < l.outer; o += block) {
    const std::size_t count = std::min(block, l.outer - o);
    T* to = y + o * l.row();
    channel_affine(step, x + o * l.row(), ones, minus_mean, to, count, l);
    channel_affine(step, to, scale, shift, to, count, l);
  }
}

// Inputs dy, x, gamma, mean, variance, and the gradients of mean and variance; outputs the gradients of x, gamma, beta.
// With r = 1 / sqrt(variance + epsilon) and z = (x - mean) r, over n elements per channel:
// dbeta = sum dy, dgamma = sum dy z, dx = gamma r (dy - dbeta/n - z dgamma/n) + dmean/n + 2 (x - mean) dvariance/n.
struct BatchNormTrainGrad : NormFields {
  static constexpr const char* kName = "batch_norm_train_grad";
  Specs infer(const InSpecs& in) const {
    expect_inputs(kName, in, 7);
    Specs out;
    out.emplace_back(in.dtype(1), in.shape(1));
    out.emplace_back(in.dtype(1), in.shape(2));
    out.emplace_back(in.dtype(1), in.shape(2));
    return out;
  }
  // The statistics are inputs of their own here; what flows into them goes on to x through the op that made them.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    using namespace emit;  // NOLINT: formulas
    const Value &g = dy[0], &g_gamma = dy[1], &g_beta = dy[2];
    const Value &d = call.in(0), &x = call.in(1), &gamma = call.in(2), &d_variance = call.in(6);
    const std::size_t a = axis_index(kName, axis, x.rank());
    const auto wide = [&](const Value& v) { return channels(e, v, x, a); };
    const auto sum = [&](const Value& v) { return sum_channels(e, v, a); };
    const auto mean = [&](const Value& v) { return mean_channels(e, v, a); };
    const auto times = [&](const Value& u, const Value& v) { return emit::multiply(e, u, v); };
    const Value r = rsqrt(e, affine(e, call.in(4), 1, epsilon));
    const Value scale = times(gamma, r);
    const Value centred = subtract(e, x, wide(call.in(3)));
    const Value z = times(centred, wide(r));
    const Value mean_g = mean(g), mean_gz = mean(times(g, z)), dz = times(d, z);
    const Value by_beta = subtract(e, g_beta, times(scale, mean_g));     // by dbeta, as it enters dx
    const Value by_gamma = subtract(e, g_gamma, times(scale, mean_gz));  // by dgamma
    const Value spread =
        affine(e, reduce_mean_grad(e, restore_channels(e, d_variance, x, a), x), 2);  // 2 dvariance / n
    Values out(7);
    out[0] = emit::add(e, times(g, wide(scale)), emit::add(e, wide(by_beta), times(z, wide(by_gamma))));
    const Value by_z = subtract(e, times(d, wide(by_gamma)), times(g, wide(times(scale, mean(dz)))));
    const Value by_x = emit::add(e, times(by_z, wide(r)), times(g, spread));
    out[1] = by_x;
    const Value by_scale = subtract(e, subtract(e, sum(times(g, d)), times(sum(d), mean_g)), times(sum(dz), mean_gz));
    out[2] = times(by_scale, r);
    out[3] = negative(e, sum(by_x));
    const Value by_r = emit::add(e, times(by_scale, gamma), sum(times(by_z, centred)));
    out[4] = affine(e, times(by_r, times(r, square(e, r))), -0.5);
    out[5] = mean_g;
    out[6] = affine(e, mean(times(g, centred)), 2);
    return out;
  }
  // v [c] with ones for the other axes of x.
  static Value restore_channels(Emitter& e, const Value& v, const Value& x, std::size_t a) {
    Shape s(x.rank(), Dim(1));
    s[a] = v.shape()[0];
    return emit::reshape(e, v, std::move(s));
  }
  void prepare(Preparation& p) const {
    p.in(0).dtype == DType::float64 ? prepare_for<double>(p) : prepare_for<float>(p);
  }
  template <class T>
  void prepare_for(Preparation& p) const {
    const Shape& x = p.in(1).shape;
    const std::size_t a = axis_index(kName, axis, x.size());
    p.params<NormParams>() = {epsilon, static_cast<std::uint32_t>(a)};
    scratch_for<T>(p, x, a, 6, kName);
    channel_block_scratch<T>(p, x, a, kName);
    p.run(run<T>, "scale_shift");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<NormParams>();
    const auto& k = *step.kernels;
    const ChannelLayout l(b.in[1], p.axis);
    const T *dy = b.in[0].as<T>(), *x = b.in[1].as<T>(), *gamma = b.in[2].as<T>(), *mean = b.in[3].as<T>();
    const T *variance = b.in[4].as<T>(), *d_mean = b.in[5].as<T>(), *d_variance = b.in[6].as<T>();
    T *dx = b.out[0].as<T>(), *d_gamma = b.out[1].as<T>(), *d_beta = b.out[2].as<T>();
    auto* at = static_cast<unsigned char*>(b.scratch);
    T *ones = take_scratch<T>(at, l.c), *minus_mean = take_scratch<T>(at, l.c), *slope = take_scratch<T>(at, l.c);
    T *offset = take_scratch<T>(at, l.c), *weight = take_scratch<T>(at, l.c), *zeros = take_scratch<T>(at, l.c);
    T* room = p.axis + 1 == b.in[1].rank() ? nullptr : take_scratch<T>(at, l.outer * l.c);
    T* weighted = reinterpret_cast<T*>(at);
    for (std::size_t i = 0; i < l.c; ++i) {
      ones[i] = 1;
      zeros[i] = 0;
      minus_mean[i] = -mean[i];
    }
    // dx holds (x - mean) dy for the moment.
    channel_affine(step, x, ones, minus_mean, dx, l.outer, l);
    LN_PICK(T, k, binary_multiply)(dx, dy, dx, l.outer * l.row(), 0);
    channel_sum(step, dx, d_gamma, room, l);
    channel_sum(step, dy, d_beta, room, l);
    const T share = T(1) / static_cast<T>(l.outer * l.inner);
    for (std::size_t i = 0; i < l.c; ++i) {
      const T r = T(1) / std::sqrt(variance[i] + static_cast<T>(p.epsilon));
      d_gamma[i] *= r;
      weight[i] = gamma[i] * r;
      slope[i] = (2 * d_variance[i] - weight[i] * r * d_gamma[i]) * share;
      offset[i] = (d_mean[i] - weight[i] * d_beta[i]) * share;
    }
    const std::size_t block = channel_block<T>(l);
    for (std::size_t o = 0; o < l.outer; o += block) {
      const std::size_t count = std::min(block, l.outer - o);
      T* to = dx + o * l.row();
      channel_affine(step, x + o * l.row(), ones, minus_mean, to, count, l);
      channel_affine(step, to, slope, offset, to, count, l);
      channel_affine(step, dy + o * l.row(), weight, zeros, weighted, count, l);
      LN_PICK(T, k, binary_add)(to, weighted, to, count * l.row(), 0);
    }
  }
};

struct BatchNormTrain : NormFields {
  Specs infer(const InSpecs& in) const {
    expect_inputs("batch_norm_train", in, 3);
    const Dim c = check_channels("batch_norm_train", in, 0, axis, 1, kVectors);
    Specs out = one_spec(in.dtype(0), in.shape(0));
    out[0].shape[axis_index("batch_norm_train", axis, in.rank(0))] = c;
    out.emplace_back(in.dtype(0), Shape{c});
    out.emplace_back(in.dtype(0), Shape{c});
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Values inputs{dy[0], call.in(0), call.in(1), call.out(1), call.out(2), dy[1], dy[2]};
    const BatchNormTrainGrad grad{{epsilon, axis}};
    return e.emit(batch_norm_train_grad_op, &grad, inputs, Targets());
  }
  void prepare(Preparation& p) const {
    p.in(0).dtype == DType::float64 ? prepare_for<double>(p) : prepare_for<float>(p);
  }
  template <class T>
  void prepare_for(Preparation& p) const {
    const Shape& x = p.in(0).shape;
    const std::size_t a = axis_index("batch_norm_train", axis, x.size());
    p.params<NormParams>() = {epsilon, static_cast<std::uint32_t>(a)};
    scratch_for<T>(p, x, a, 3, "batch_norm_train");
    p.run(run<T>, "moments");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<NormParams>();
    const auto& k = *step.kernels;
    const ChannelLayout l(b.in[0], p.axis);
    const T *x = b.in[0].as<T>(), *gamma = b.in[1].as<T>(), *beta = b.in[2].as<T>();
    T *y = b.out[0].as<T>(), *mean = b.out[1].as<T>(), *variance = b.out[2].as<T>();
    auto* at = static_cast<unsigned char*>(b.scratch);
    T *ones = take_scratch<T>(at, l.c), *minus_mean = take_scratch<T>(at, l.c), *scale = take_scratch<T>(at, l.c);
    for (std::size_t i = 0; i < l.c; ++i) ones[i] = 1;
    if (l.inner == 1) {
      LN_PICK(T, k, moments)(x, mean, variance, l.outer, l.c);
      for (std::size_t i = 0; i < l.c; ++i) minus_mean[i] = -mean[i];
    } else {  // y holds the squares for the moment
      T* room = reinterpret_cast<T*>(at);
      const T share = T(1) / static_cast<T>(l.outer * l.inner);
      channel_sum(step, x, mean, room, l);
      for (std::size_t i = 0; i < l.c; ++i) minus_mean[i] = -(mean[i] *= share);
      channel_affine(step, x, ones, minus_mean, y, l.outer, l);
      LN_PICK(T, k, unary_square)(y, y, l.outer * l.row(), nullptr);
      channel_sum(step, y, variance, room, l);
      for (std::size_t i = 0; i < l.c; ++i) variance[i] *= share;
    }
    for (std::size_t i = 0; i < l.c; ++i) scale[i] = gamma[i] / std::sqrt(variance[i] + static_cast<T>(p.epsilon));
    centred_affine(step, x, minus_mean, ones, scale, beta, y, l);
  }
};

}  // namespace

const OpDef batch_norm_train_op = define_op<BatchNormTrain>("batch_norm_train", "x, gamma, beta");
const OpDef batch_norm_train_grad_op =
    define_op<BatchNormTrainGrad>("batch_norm_train_grad", "dy, x, gamma, mean, variance, dmean, dvariance");

}  // namespace layernet
