// layer_norm(x, gamma, beta; epsilon): gamma (x - mean) / sqrt(variance + epsilon) + beta with the moments of each row,
// the rows lying along the last axis (Ba et al. 2016).
#include <algorithm>

#include "ops/kernel_pick.h"

namespace layernet {

namespace {

struct NormParams {
  double epsilon;
};

std::size_t row_size(const View& x) noexcept {
  return static_cast<std::size_t>(x.dim(x.rank() - 1));
}
std::size_t row_count(const View& x) noexcept {
  std::size_t rows = 1;
  for (std::size_t i = 0; i + 1 < x.rank(); ++i) rows *= static_cast<std::size_t>(x.dim(i));
  return rows;
}

struct NormFields {
  double epsilon = 1e-3;
  template <class V>
  void fields(V& visit) {
    visit("epsilon", epsilon);
  }
};

// Inputs dy, x, gamma; outputs the gradients of x, gamma, beta. With r = 1 / sqrt(variance + epsilon), z = (x - mean) r
// and h = dy gamma: dx = r P(h), where P(h) = h - mean(h) - z mean(h z) over the row.
struct LayerNormGrad : NormFields {
  Specs infer(const InSpecs& in) const {
    expect_inputs("layer_norm_grad", in, 3);
    Specs out = one_spec(in.dtype(1), in.shape(1));
    out.emplace_back(in.dtype(1), in.shape(2));
    out.emplace_back(in.dtype(1), in.shape(2));
    return out;
  }
  // P is symmetric, so sum(g dx) = r sum(h P(g)); z depends on x by r P, and r by -r^2 z / n.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value &g = dy[0], &g_gamma = dy[1], &g_beta = dy[2], &d = call.in(0), &x = call.in(1), &gamma = call.in(2);
    const auto mean = [&](const Value& v) { return emit::reduce_mean(e, v, Ints{-1}, true); };
    const auto times = [&](const Value& u, const Value& v) { return emit::multiply(e, u, v); };
    const Value centred = emit::subtract(e, x, mean(x));
    const Value r = emit::rsqrt(e, emit::affine(e, mean(emit::square(e, centred)), 1, epsilon));
    const Value z = times(centred, r);
    const auto project = [&](const Value& v) {  // r P(v)
      return times(r, emit::subtract(e, emit::subtract(e, v, mean(v)), times(z, mean(times(v, z)))));
    };
    const Value h = times(d, gamma), pg = project(g);
    Values out(3);
    out[0] = emit::add(e, times(gamma, pg), emit::add(e, times(z, g_gamma), g_beta));
    if (call.wants(1)) {
      const Value cross = emit::add(e, times(g, mean(times(h, z))), times(h, mean(times(g, z))));
      const Value by_z = emit::subtract(e, times(d, g_gamma), times(r, cross));
      const Value by_r = times(times(z, r), mean(times(g, project(h))));
      out[1] = emit::subtract(e, project(by_z), by_r);
    }
    if (call.wants(2)) out[2] = emit::sum_to(e, times(d, pg), gamma);
    return out;
  }
  void prepare(Preparation& p) const {
    p.in(0).dtype == DType::float64 ? prepare_for<double>(p) : prepare_for<float>(p);
  }

  // Rows per block: four arrays of a block in the first-level cache.
  template <class T>
  static std::size_t block_rows(std::size_t n) noexcept {
    return std::max<std::size_t>(1, 8192 / sizeof(T) / std::max<std::size_t>(1, n));
  }
  template <class T>
  void prepare_for(Preparation& p) const {
    const Shape& x = p.in(1).shape;
    p.params<NormParams>() = {epsilon};
    const Dim n = x.back();
    const auto rows =
        static_cast<std::int64_t>(n.is_fixed() ? block_rows<T>(static_cast<std::size_t>(n.value())) : 8192 / sizeof(T));
    const Dim block = layernet::multiply(n, Dim(rows), "layer_norm_grad");
    for (int i = 0; i < 3; ++i) p.scratch(block, sizeof(T));      // z, h, and a product
    for (int i = 0; i < 3; ++i) p.scratch(Dim(rows), sizeof(T));  // per row
    for (int i = 0; i < 2; ++i) p.scratch(n, sizeof(T));          // zeros, and the block's share of a sum
    p.run(run<T>, "layer_norm");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& k = *step.kernels;
    const double epsilon = step.get<NormParams>().epsilon;
    const View& x = b.in[1];
    const std::size_t n = row_size(x), rows = row_count(x), block = block_rows<T>(n);
    const T *dy = b.in[0].as<T>(), *gamma = b.in[2].as<T>();
    T *dx = b.out[0].as<T>(), *d_gamma = b.out[1].as<T>(), *d_beta = b.out[2].as<T>();
    auto* at = static_cast<unsigned char*>(b.scratch);
    T *z = take_scratch<T>(at, block * n), *h = take_scratch<T>(at, block * n),
      *product = take_scratch<T>(at, block * n);
    T *rstd = take_scratch<T>(at, block), *mean_h = take_scratch<T>(at, block), *mean_hz = take_scratch<T>(at, block);
    T *zeros = take_scratch<T>(at, n), *part = take_scratch<T>(at, n);
    const auto multiply = LN_PICK(T, k, binary_multiply), add = LN_PICK(T, k, binary_add);
    const auto sum = LN_PICK(T, k, reduce_sum);
    const auto affine = LN_PICK(T, k, unary_affine);
    std::fill(zeros, zeros + n, T(0));
    std::fill(d_gamma, d_gamma + n, T(0));
    std::fill(d_beta, d_beta + n, T(0));
    for (std::size_t first = 0; first < rows && n != 0; first += block) {
      const std::size_t m = std::min(block, rows - first), count = m * n;
      const T* g = dy + first * n;
      LN_PICK(T, k, layer_norm)(x.as<T>() + first * n, nullptr, nullptr, z, nullptr, rstd, m, n, epsilon);
      sum(g, part, 1, m, n);
      add(d_beta, part, d_beta, n, 0);
      multiply(g, z, product, count, 0);
      sum(product, part, 1, m, n);
      add(d_gamma, part, d_gamma, n, 0);
      LN_PICK(T, k, scale_shift)(g, gamma, zeros, h, m, n);
      sum(h, mean_h, m, n, 1);
      multiply(h, z, product, count, 0);
      sum(product, mean_hz, m, n, 1);
      for (std::size_t i = 0; i < m; ++i) {
        const double r = static_cast<double>(rstd[i]), share = r / static_cast<double>(n);
        const double of_h[2] = {r, -share * static_cast<double>(mean_h[i])};
        const double of_z[2] = {-share * static_cast<double>(mean_hz[i]), 0.0};
        affine(h + i * n, h + i * n, n, of_h);
        affine(z + i * n, z + i * n, n, of_z);
      }
      add(h, z, dx + first * n, count, 0);
    }
  }
};

struct LayerNorm : NormFields {
  Specs infer(const InSpecs& in) const {
    expect_inputs("layer_norm", in, 3);
    expect_floating("layer_norm", in.dtype(0));
    expect_min_rank("layer_norm", in.shape(0), 1);
    const Dim n = in.shape(0).back();
    constexpr const char* kVectors[] = {"gamma", "beta"};
    for (std::size_t i = 1; i < 3; ++i) {
      expect_same_dtype("layer_norm", in.dtype(0), in.dtype(i));
      const Shape& v = in.shape(i);
      if (v.size() != 1 || (v[0] != n && !v[0].is_unknown() && !n.is_unknown()))
        fail_shape("layer_norm", join(kVectors[i - 1], " of shape [", n, "] for inputs of shape ", in.shape(0)),
                   join("shape ", v));
    }
    return one_spec(in.dtype(0), in.shape(0));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const LayerNormGrad grad{{epsilon}};
    return e.emit(layer_norm_grad_op, &grad, Values{dy[0], call.in(0), call.in(1)}, Targets());
  }
  void prepare(Preparation& p) const {
    p.params<NormParams>() = {epsilon};
    p.run(p.in(0).dtype == DType::float64 ? run<double> : run<float>, "layer_norm");
    p.last_axis();
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const View& x = b.in[0];
    LN_PICK(T, *step.kernels, layer_norm)
    (x.as<T>(), b.in[1].as<T>(), b.in[2].as<T>(), b.out[0].as<T>(), nullptr, nullptr, row_count(x), row_size(x),
     step.get<NormParams>().epsilon);
  }
};

}  // namespace

const OpDef layer_norm_op = define_op<LayerNorm>("layer_norm", "x, gamma, beta");
const OpDef layer_norm_grad_op = define_op<LayerNormGrad>("layer_norm_grad", "dy, x, gamma");

}  // namespace layernet
