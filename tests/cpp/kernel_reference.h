// Definitions of the elementwise kernels in a wider type W (double for float kernels, long double for double kernels),
// by the C library, and the distance between a kernel's result and the definition in ULP.
#pragma once

#include <math.h>

#include <cmath>
#include <limits>
#include <string>

namespace reference {

template <class T>
struct Wide;
template <>
struct Wide<float> {
  using type = double;
};
template <>
struct Wide<double> {
  using type = long double;
};

// |got - want| in units of the last place of want as a T; 0 if both are NaN or the same infinity, huge if one of them
// is. `floor` is the size below which the last place does not shrink any more.
template <class T, class W>
double ulp_distance(T got, W want, W floor = 0) {
  const double huge = 1e30;
  if (want != want) return got != got ? 0 : huge;
  if (got != got) return huge;
  const T rounded = static_cast<T>(want);
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : huge;
  W size = std::fabs(want) > floor ? std::fabs(want) : floor;
  int exponent = std::numeric_limits<T>::min_exponent;
  if (size >= static_cast<W>(std::numeric_limits<T>::min())) std::frexp(size, &exponent);
  const W ulp = std::ldexp(W(1), exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::fabs(static_cast<W>(got) - want) / ulp);
}

// Phi(-a) for a >= 0. What the rounding of a / sqrt(2) does to erfc far out is corrected by its derivative.
template <class W>
W normal_tail(W a) {
  if (std::isinf(a)) return 0;
  const W t = a * W(0.70710678118654752440084436210484903928L);
  W r = std::erfc(t);
  if (t > 0) {
    const W missing = std::fma(t, -t, a * a / 2) / (2 * t);
    r -= W(1.12837916709551257389615890312154517169L) * std::exp(-t * t) * missing;
  }
  return r / 2;
}
template <class W>
W sigmoid(W x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}
template <class W>
W gelu_tanh_argument(W x) {
  return W(1.59576912160573071175978423973752747390L) * (x + W(0.044715L) * x * x * x);
}

constexpr long double kSeluScale = 1.0507009873554804934193349852946L, kSeluAlpha = 1.6732632423543772848170429916717L;

// f(x). Where a formula gives inf * 0 the limit is meant.
template <class W>
W unary(const std::string& f, W x, const double* p) {
  const bool plus = x == std::numeric_limits<W>::infinity(), minus = x == -std::numeric_limits<W>::infinity();
  if (f == "negative") return -x;
  if (f == "abs") return std::fabs(x);
  if (f == "sign") return x != x ? x : W((x > 0) - (x < 0));
  if (f == "square") return x * x;
  if (f == "sqrt") return std::sqrt(x);
  if (f == "rsqrt") return 1 / std::sqrt(x);
  if (f == "reciprocal") return 1 / x;
  if (f == "exp") return std::exp(x);
  if (f == "log") return std::log(x);
  if (f == "log1p") return std::log1p(x);
  if (f == "expm1") return std::expm1(x);
  if (f == "floor") return std::floor(x);
  if (f == "ceil") return std::ceil(x);
  if (f == "round") return std::nearbyint(x);
  if (f == "sin") return std::sin(x);
  if (f == "cos") return std::cos(x);
  if (f == "erf") return std::erf(x);
  if (f == "tanh") return std::tanh(x);
  if (f == "sigmoid") return sigmoid(x);
  if (f == "relu") return x < 0 ? 0 : x;
  if (f == "leaky_relu") return x < 0 ? W(p[0]) * x : x;
  if (f == "elu") return x < 0 ? W(p[0]) * std::expm1(x) : x;
  if (f == "selu") return x < 0 ? W(kSeluScale) * W(kSeluAlpha) * std::expm1(x) : W(kSeluScale) * x;
  if (f == "hard_sigmoid") return x != x ? x : std::fmin(W(1), std::fmax(W(0), W(0.2L) * x + W(0.5)));
  if (f == "softplus") return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  if (f == "softsign") return std::isinf(x) ? std::copysign(W(1), x) : x / (1 + std::fabs(x));
  if (f == "gelu") return minus ? W(0) : plus ? x : x < 0 ? x * normal_tail(-x) : x - x * normal_tail(x);
  if (f == "gelu_tanh") return minus ? W(0) : plus ? x : x * sigmoid(gelu_tanh_argument(x));
  if (f == "silu") return minus ? W(0) : x * sigmoid(x);
  if (f == "mish") {
    if (std::isinf(x)) return plus ? x : W(0);
    const W e = std::exp(-std::fabs(x));
    return x >= 0 ? x * (1 + 2 * e) / (1 + 2 * e + 2 * e * e) : x * e * (2 + e) / (2 + 2 * e + e * e);
  }
  if (f == "clip") return x != x ? x : std::fmin(W(p[1]), std::fmax(W(p[0]), x));
  if (f == "affine") return W(p[0]) * x + W(p[1]);
  if (f == "power_scalar") return std::pow(x, W(p[0]));
  return std::numeric_limits<W>::signaling_NaN();
}

// The derivative that grad_<f> multiplies by; v is y or x as in grad.inl.h.
template <class W>
W derivative(const std::string& f, W v, const double* p) {
  const bool infinite = std::isinf(v);
  if (f == "relu") return v > 0;
  if (f == "tanh") return (1 - v) * (1 + v);
  if (f == "sigmoid") return v * (1 - v);
  if (f == "elu") return v < 0 ? v + W(p[0]) : W(1);
  if (f == "selu") return v < 0 ? v + W(kSeluScale) * W(kSeluAlpha) : W(kSeluScale);
  if (f == "leaky_relu") return v > 0 ? W(1) : W(p[0]);
  if (f == "sqrt") return W(0.5) / v;
  if (f == "exp") return v;
  if (f == "abs") return W((v > 0) - (v < 0));
  if (f == "square") return 2 * v;
  if (f == "softsign") return 1 / ((1 + std::fabs(v)) * (1 + std::fabs(v)));
  if (f == "hard_sigmoid") return std::fabs(v) <= W(2.5) ? W(0.2L) : W(0);
  if (f == "clip") return v >= W(p[0]) && v <= W(p[1]);
  if (f == "softplus") return sigmoid(v);
  if (f == "gelu") {
    if (infinite) return v > 0;
    const W density = W(0.39894228040143267793994605993438186848L) * std::exp(-v * v / 2);
    return (v < 0 ? normal_tail(-v) : 1 - normal_tail(v)) + v * density;
  }
  if (f == "gelu_tanh") {
    if (infinite || std::fabs(v) > 1000) return v > 0;
    const W w = gelu_tanh_argument(v);
    const W slope = W(1.59576912160573071175978423973752747390L) * (1 + 3 * W(0.044715L) * v * v);
    return sigmoid(w) * (1 + v * slope * sigmoid(-w));
  }
  if (f == "silu") return infinite ? W(v > 0) : sigmoid(v) * (1 + v * sigmoid(-v));
  if (f == "mish") {
    if (infinite) return v > 0;
    const W e = std::exp(-std::fabs(v));
    const W d = v >= 0 ? 1 + 2 * e + 2 * e * e : 2 + 2 * e + e * e;
    return v >= 0 ? (1 + 2 * e) / d + v * 4 * e * e * (1 + e) / (d * d)
                  : e * (2 + e) / d + v * 4 * e * (1 + e) / (d * d);
  }
  return std::numeric_limits<W>::signaling_NaN();
}

// As Python and numpy define them: the remainder has the divisor's sign.
template <class W>
W float_mod(W a, W b) {
  const W r = std::fmod(a, b);
  return r != 0 && b != 0 && (r < 0) != (b < 0) ? r + b : r;
}
template <class W>
W binary(const std::string& f, W a, W b) {
  if (f == "add") return a + b;
  if (f == "subtract") return a - b;
  if (f == "multiply") return a * b;
  if (f == "divide") return a / b;
  if (f == "maximum") return a != a || b != b ? a + b : a > b ? a : b;
  if (f == "minimum") return a != a || b != b ? a + b : a < b ? a : b;
  if (f == "power") return std::pow(a, b);
  if (f == "mod") return float_mod(a, b);
  if (f == "floordiv") {
    if (b == 0) return a / b;
    return std::isinf(a) ? W(NAN) : std::isinf(b) ? (a == 0 ? W(0) : std::floor(a / b)) : std::floor(a / b);
  }
  return std::numeric_limits<W>::signaling_NaN();
}

}  // namespace reference
