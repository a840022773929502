// batch_norm(x, gamma, beta, mean, variance; epsilon, axis): gamma (x - mean) / sqrt(variance + epsilon) + beta, with
// one number per channel: the form for inference (Ioffe and Szegedy 2015). The four vectors are folded into a scale and
// a shift first; in a plan where they are constants, once.
#include <cmath>

#include "ops/channels.h"

namespace layernet {

namespace {

constexpr const char* kVectors[] = {"gamma", "beta", "mean", "variance"};

struct BatchNormParams {
  double epsilon;
  std::uint32_t axis;
  bool folded;
};

template <class T>
void fold(const T* gamma, const T* beta, const T* mean, const T* variance, double epsilon, std::size_t c, T* scale,
          T* shift) noexcept {
  for (std::size_t i = 0; i < c; ++i) {
    const T s = gamma[i] / std::sqrt(variance[i] + static_cast<T>(epsilon));
    shift[i] = beta[i] - mean[i] * s;
    scale[i] = s;
  }
}

struct BatchNorm {
  double epsilon = 1e-3;
  std::int64_t axis = -1;
  template <class V>
  void fields(V& visit) {
    visit("epsilon", epsilon);
    visit("axis", axis);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("batch_norm", in, 5);
    const Dim c = check_channels("batch_norm", in, 0, axis, 1, kVectors);
    Shape out = in.shape(0);
    out[axis_index("batch_norm", axis, out.size())] = c;
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &x = call.in(0), &gamma = call.in(1), &g = dy[0];
    const std::size_t a = axis_index("batch_norm", axis, x.rank());
    const Value rstd = emit::rsqrt(e, emit::affine(e, call.in(4), 1, epsilon));
    const Value scale = emit::multiply(e, gamma, rstd);
    Values out(5);
    if (call.wants(0)) out[0] = emit::multiply(e, g, emit::channels(e, scale, x, a));
    if (!call.wants(1) && !call.wants(2) && !call.wants(3) && !call.wants(4)) return out;
    const Value sum = emit::sum_channels(e, g, a);
    out[2] = sum;
    if (call.wants(3)) out[3] = emit::negative(e, emit::multiply(e, sum, scale));
    if (!call.wants(1) && !call.wants(4)) return out;
    const Value centred = emit::subtract(e, x, emit::channels(e, call.in(3), x, a));
    const Value product = emit::sum_channels(e, emit::multiply(e, g, centred), a);
    out[1] = emit::multiply(e, product, rstd);
    if (call.wants(4))
      out[4] = emit::affine(e, emit::multiply(e, emit::multiply(e, product, scale), emit::square(e, rstd)), -0.5);
    return out;
  }
  ScaleShift scale_shift(const Spec& x, const Tensor* constants) const {
    if (axis != -1 && axis != static_cast<std::int64_t>(x.shape.size()) - 1) return {};
    for (int i = 1; i < 5; ++i)
      if (!constants[i]) return {};
    if (x.dtype == DType::float64) return scale_shift_of<double>(constants);
    if (x.dtype == DType::float32) return scale_shift_of<float>(constants);
    return {};
  }
  template <class T>
  ScaleShift scale_shift_of(const Tensor* constants) const {
    const T *gamma = constants[1].as<T>(), *beta = constants[2].as<T>(), *mean = constants[3].as<T>(),
            *variance = constants[4].as<T>();
    ScaleShift result;
    for (std::int64_t i = 0; i < constants[1].size(); ++i) {
      const double scale = static_cast<double>(gamma[i]) / std::sqrt(static_cast<double>(variance[i]) + epsilon);
      result.scale.push_back(scale);
      result.shift.push_back(static_cast<double>(beta[i]) - static_cast<double>(mean[i]) * scale);
    }
    return result;
  }

  void prepare(Preparation& p) const {
    p.in(0).dtype == DType::float64 ? prepare_for<double>(p) : prepare_for<float>(p);
  }

  template <class T>
  void prepare_for(Preparation& p) const {
    BatchNormParams& params = p.params<BatchNormParams>();
    params = {epsilon, static_cast<std::uint32_t>(axis_index("batch_norm", axis, p.in(0).shape.size())), false};
    const Tensor *gamma = p.constant(1), *beta = p.constant(2), *mean = p.constant(3), *variance = p.constant(4);
    p.run(run<T>, "scale_shift");
    if (axis == -1) p.last_axis();
    if (gamma != nullptr && beta != nullptr && mean != nullptr && variance != nullptr) {
      const auto c = static_cast<std::size_t>(gamma->size());
      T* scale = static_cast<T*>(p.keep(2 * c * sizeof(T), 0b11110));
      fold(gamma->as<T>(), beta->as<T>(), mean->as<T>(), variance->as<T>(), epsilon, c, scale, scale + c);
      params.folded = true;
      return;
    }
    p.scratch(p.in(1).shape[0], 2 * sizeof(T));
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<BatchNormParams>();
    const ChannelLayout l(b.in[0], p.axis);
    const T* scale;
    if (p.folded) {
      scale = static_cast<const T*>(step.kept);
    } else {
      T* room = static_cast<T*>(b.scratch);
      fold(b.in[1].as<T>(), b.in[2].as<T>(), b.in[3].as<T>(), b.in[4].as<T>(), p.epsilon, l.c, room, room + l.c);
      scale = room;
    }
    channel_affine(step, b.in[0].as<T>(), scale, scale + l.c, b.out[0].as<T>(), l.outer, l);
  }
};

}  // namespace

const OpDef batch_norm_op = define_op<BatchNorm>("batch_norm", "x, gamma, beta, mean, variance");

}  // namespace layernet
