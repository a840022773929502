// Elementary functions on Vec<T>, T = float or double, each written once for all instruction sets.
//
// Method: argument reduction to a short interval with constants split so that products are exact even without fma
// (Cody and Waite 1980; Tang 1989), then a minimax polynomial. fit_math.py found every coefficient below (weighted
// minimax, coefficients rounded one after the other); the error beside each is relative to the function named and
// includes the rounding of the coefficients. Special values are set by selects, so lanes never influence each other.
// tests/cpp/kernel_check.cpp measures the bounds: 2 ULP at most over the whole line, denormal results included (without
// fma gelu has 2.7).
#pragma once

#include "simd/vec.h"
#include "tanh_table.inl.h"
#include "unroll.inl.h"

LN_BEGIN_TARGET

template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
  static constexpr float epsilon = 0x1p-24f;  // half an ULP of 1
  static constexpr float log2e = 0x1.715476p+0f;
  // ln 2 = high + low; high has 15 bits, so n * high is exact for |n| < 2^9.
  static constexpr float ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
  static constexpr float exp_min = -110.0f, exp_max = 89.0f;  // x e^x is 0 below, e^x infinite above
  static constexpr float denormal_scale = 0x1p24f;
  static constexpr int denormal_shift = 24;
  static constexpr int32_t sqrt_half_bits = 0x3f3504f3;
  // exp(r) = 1 + r + r^2 Q(r), |r| <= ln 2 / 2: 2^-28.0
  static constexpr float exp_q[] = {0x1p-1f, 0x1.5554a4p-3f, 0x1.55568ep-5f, 0x1.122f22p-7f, 0x1.6b670cp-10f};
  // expm1(r) = r + r^2 Q(r), |r| <= ln 2 / 2: 2^-31.1
  static constexpr float expm1_q[] = {0x1p-1f,        0x1.555554p-3f,  0x1.5554f8p-5f,
                                      0x1.1112dap-7f, 0x1.6d3a42p-10f, 0x1.9e6e98p-13f};
  // 2 atanh(s) = 2 s + s z R(z), z = s^2, |s| <= 0.1718: 2^-35.2 of log
  static constexpr float log_r[] = {0x1.555554p-1f, 0x1.999c26p-2f, 0x1.23d3e2p-2f, 0x1.f13a42p-3f};
  // tanh(x) = x + x z P(z), z = x^2, |x| <= tanh_small: 2^-24.4
  static constexpr float tanh_p[] = {-0x1.555422p-2f, 0x1.10c63ap-3f, -0x1.ae9aap-5f, 0x1.09ed88p-6f};
  static constexpr float tanh_small = 0x1.2p-1f;
  // exp(2 r) = E(r), |r| <= ln 2 / 4, where exp(2 x) counts in tanh(x), |x| >= tanh_small: 2^-25.0 of that
  static constexpr float tanh_e[] = {0x1p+0f, 0x1p+1f, 0x1.fffe32p+0f, 0x1.5557a2p+0f, 0x1.5719f2p-1f, 0x1.1060bp-2f};
  static constexpr float half_ln2 = 0x1.62e43p-2f;
  static constexpr float tanh_limit = 10.0f;
  // erf(x) = x + x P(z), z = x^2, |x| <= 1: 2^-29.4
  static constexpr float erf_p[] = {0x1.06eba8p-3f, -0x1.81273ep-2f,  0x1.ce2ce6p-4f, -0x1.b7f71cp-6f,
                                    0x1.53f24cp-8f, -0x1.a35348p-11f, 0x1.477968p-14f};
  // (a + K) exp(a^2 / 2) Phi(-a) = G(u), u = (a - K) / (a + K), 0 <= a <= 14.6: 2^-25.7
  static constexpr float mills_k = 4.0f;
  static constexpr float mills_limit = 15.0f;
  static constexpr float mills_g[] = {0x1.82b4bcp-1f,  -0x1.373e3cp-1f, 0x1.8c6d8ep-2f, -0x1.7dffp-3f,
                                      0x1.eed748p-5f,  -0x1.edbebp-8f,  -0x1.cd497p-9f, 0x1.9e7fd4p-10f,
                                      0x1.908aaap-13f, -0x1.110d9ap-13f};
  static constexpr float gelu_tanh_limit = 11.5f;  // x sigmoid(w) underflows to 0 before -limit
  // 2 sqrt(2 / pi) and that times 0.044715, each as a sum of two
  static constexpr float gelu_c1 = 0x1.988454p+0f, gelu_c1_low = -0x1.857936p-25f;
  static constexpr float gelu_c3 = 0x1.2444f2p-4f, gelu_c3_low = 0x1.49b16ap-29f;
  // selu (Klambauer et al. 2017, equation 14): scale, and scale times alpha as a sum of two
  static constexpr float selu_scale = 1.05070098735548f;
  static constexpr float selu_scale_alpha = 0x1.c212ccp+0f, selu_scale_alpha_low = 0x1.903c0cp-26f;
  // sin(r) = r + r z S(z), cos(r) = 1 - z / 2 + z^2 C(z), z = r^2, |r| <= pi / 4: 2^-27.9, 2^-33.0
  static constexpr float sin_s[] = {-0x1.555546p-3f, 0x1.110774p-7f, -0x1.9951eap-13f};
  static constexpr float cos_c[] = {0x1.55554ap-5f, -0x1.6c0c28p-10f, 0x1.99e80ep-16f};
  static constexpr float split = 0x1.001p12f;  // 2^12 + 1 cuts 24 bits into 12 and 12
};

template <>
struct MathConstants<double> {
  static constexpr double epsilon = 0x1p-53;
  static constexpr double log2e = 0x1.71547652b82fep+0;
  // high has 42 bits: n * high is exact for |n| < 2^11.
  static constexpr double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c76730p-45;
  static constexpr double exp_min = -760.0, exp_max = 710.0;
  static constexpr double denormal_scale = 0x1p54;
  static constexpr int denormal_shift = 54;
  static constexpr int64_t sqrt_half_bits = 0x3fe6a09e667f3bcd;
  static constexpr double exp_q[] = {0x1p-1,
                                     0x1.5555555555501p-3,
                                     0x1.5555555553201p-5,
                                     0x1.1111111128964p-7,
                                     0x1.6c16c17cc5602p-10,
                                     0x1.a01a011bdf438p-13,
                                     0x1.a019ab258ef7fp-16,
                                     0x1.71df55c057258p-19,
                                     0x1.289f9319085f6p-22,
                                     0x1.ad1f710e635e6p-26};  // 2^-57.4
  static constexpr double expm1_q[] = {0x1p-1,
                                       0x1.5555555555559p-3,
                                       0x1.5555555555558p-5,
                                       0x1.111111110f6ffp-7,
                                       0x1.6c16c16c16ffap-10,
                                       0x1.a01a01afa6887p-13,
                                       0x1.a01a019c36fcap-16,
                                       0x1.71ddf913f8870p-19,
                                       0x1.27e4fc0d9459bp-22,
                                       0x1.af5d54285c842p-26,
                                       0x1.1f359b419c39ap-29};  // 2^-61.6
  static constexpr double log_r[] = {0x1.5555555555593p-1, 0x1.999999997f98cp-2, 0x1.24924942342f0p-2,
                                     0x1.c71c51cd53ba6p-3, 0x1.74664c3eb377ep-3, 0x1.39a04a6df41b6p-3,
                                     0x1.2f14c59af18a6p-3};  // 2^-59.5
  // 2 atanh(s) = 2 s + s z (2/3 + z tail(z)), for log_two: 2^-73.3
  static constexpr double log_tail[] = {0x1.9999999999995p-2, 0x1.249249249318ep-2, 0x1.c71c71c5582f8p-3,
                                        0x1.745d184542f7ap-3, 0x1.3b135dc00d8e8p-3, 0x1.1121714f2cdc0p-3,
                                        0x1.de1629e669a8dp-4, 0x1.ec0106e95d528p-4};
  static constexpr double tanh_p[] = {-0x1.5555555555554p-2, -0x1.4fd291c403966p-6, -0x1.a189ac9ed85b6p-13};
  static constexpr double tanh_q[] = {1.0, 0x1.d89114ee5a373p-2, 0x1.7d90c2716553dp-6,
                                      0x1.b0f3aab1bd8fdp-13};  // 2^-60.4
  static constexpr double tanh_limit = 20.0;
  static constexpr double erf_p[] = {0x1.06eba8214db69p-3,   -0x1.812746b037a24p-2,  0x1.ce2f21a045785p-4,
                                     -0x1.b82ce3134d8e4p-6,  0x1.565bcd2b3b242p-8,   -0x1.c02db8fdf9d00p-11,
                                     0x1.f9a3b36e2cac8p-14,  -0x1.f4dc84fd12d25p-17, 0x1.ba63f486d8c51p-20,
                                     -0x1.636836ef60770p-23, 0x1.12571dd8f5e66p-26,  -0x1.c046a802a8ec7p-30,
                                     0x1.362ea0aa5ee31p-33};  // 2^-56.3
  static constexpr double mills_k = 4.0;
  static constexpr double mills_limit = 39.0;
  static constexpr double mills_g[] = {
      0x1.82b4bb8c94dcep-1,   -0x1.373e3a893c28bp-1,  0x1.8c6dbf2cfc22fp-2,
      -0x1.7dff2bff681b4p-3,  0x1.eec4cc3e5b095p-5,   -0x1.ee27610505327p-8,
      -0x1.c81719e774acdp-9,  0x1.ab825fdfe66b1p-10,  0x1.17a4ba80801abp-13,
      -0x1.e4a42c959d532p-13, -0x1.0031fe63411f6p-19, 0x1.26d108e20b768p-15,
      0x1.81ef06085cbe9p-21,  -0x1.8d5145bb2e670p-18, -0x1.5522faac1978bp-21,
      0x1.122e21e5e04abp-20,  0x1.2e4208ff1f237p-22,  -0x1.490bf5aa31f2bp-23,
      -0x1.9b15aeab093dcp-24, 0x1.5927ba284513cp-27,  0x1.bc550690f1391p-26,
      0x1.3cd6570f148f7p-28,  -0x1.1e72a99b4ae14p-28, -0x1.b89833d42f44cp-30};  // 2^-54.9, 0 <= a <= 38.8
  static constexpr double gelu_tanh_limit = 22.0;
  static constexpr double gelu_c1 = 0x1.9884533d43651p+0, gelu_c1_low = -0x1.cbc0d30ebfd15p-54;
  static constexpr double gelu_c3 = 0x1.2444f2a4d8b4bp-4, gelu_c3_low = -0x1.6c843a29d1c70p-61;
  static constexpr double selu_scale = 1.0507009873554805;
  static constexpr double selu_scale_alpha = 0x1.c212cc640f031p+0, selu_scale_alpha_low = 0x1.05161b045a1fep-56;
  static constexpr double sin_s[] = {-0x1.5555555555548p-3, 0x1.111111110f747p-7,   -0x1.a01a019bede39p-13,
                                     0x1.71de355a76167p-19, -0x1.ae5e505c2d5b1p-26, 0x1.5d8ce740678b0p-33};  // 2^-57.9
  static constexpr double cos_c[] = {0x1.555555555554bp-5,  -0x1.6c16c16c15005p-10,
                                     0x1.a01a019c8c7c3p-16, -0x1.27e4f7ef0b43ap-22,
                                     0x1.1ee9d9c42c42ap-29, -0x1.8fa551cf61810p-37};  // 2^-63.9
  static constexpr double split = 0x1.0000002p27;  // 2^27 + 1 cuts 53 bits into 26 and 27
};

// c[0] + c[1] x + ... Long polynomials are cut into even and odd powers, which halves the chain of dependent fmas.
template <class T, int n>
LN_INLINE Vec<T> poly(Vec<T> x, const T (&c)[n]) {
  if (n < 6) {
    Vec<T> r = Vec<T>::set1(c[n - 1]);
    for (int i = n - 2; i >= 0; --i) r = fma(r, x, Vec<T>::set1(c[i]));
    return r;
  }
  const Vec<T> x2 = x * x;
  constexpr int last_even = (n - 1) / 2 * 2, last_odd = n / 2 * 2 - 1;
  Vec<T> even = Vec<T>::set1(c[last_even]), odd = Vec<T>::set1(c[last_odd < 0 ? 0 : last_odd]);
  for (int i = last_even - 2; i >= 0; i -= 2) even = fma(even, x2, Vec<T>::set1(c[i]));
  for (int i = last_odd - 2; i >= 1; i -= 2) odd = fma(odd, x2, Vec<T>::set1(c[i]));
  return fma(odd, x, even);
}

// A number as an unevaluated sum high + low (Dekker 1971, Knuth TAOCP 2, 4.2.2).
template <class T>
struct Two {
  Vec<T> high, low;
};
// a + b exactly.
template <class T>
LN_INLINE Two<T> two_sum(Vec<T> a, Vec<T> b) {
  const Vec<T> s = a + b, b_part = s - a;
  return {s, (a - (s - b_part)) + (b - b_part)};
}
// The same for |a| >= |b| or a = 0.
template <class T>
LN_INLINE Two<T> fast_two_sum(Vec<T> a, Vec<T> b) {
  const Vec<T> s = a + b;
  return {s, b - (s - a)};
}
// a * b exactly, within the normal range.
template <class T>
LN_INLINE Two<T> two_product(Vec<T> a, Vec<T> b) {
  const Vec<T> p = a * b;
  if (kHasFma) return {p, fms(a, b, p)};
  const Vec<T> split = Vec<T>::set1(MathConstants<T>::split);
  const Vec<T> ca = split * a, cb = split * b;
  const Vec<T> ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

// --- exponential
// ------------------------------------------------------------------------------------------------------

// exp(x) = (p + p_low) 2^n with p in [0.7, 1.42] and integral n: lets a caller multiply by p first and scale last, so
// that a result is rounded once where exp(x) alone is denormal; p_low is what the rounding of p lost.
template <class T>
struct ExpParts {
  Vec<T> p, n, p_low;
};
// exp(x.high + x.low), x in [exp_min, exp_max] or NaN.
template <class T>
LN_INLINE ExpParts<T> exp_parts(Two<T> x) {
  typedef MathConstants<T> M;
  const Vec<T> n = round(x.high * Vec<T>::set1(M::log2e));
  const Two<T> r = fast_two_sum(fnma(n, Vec<T>::set1(M::ln2_high), x.high), fnma(n, Vec<T>::set1(M::ln2_low), x.low));
  const Vec<T> q = fma(r.high * r.high, poly(r.high, M::expm1_q), r.low);
  const Two<T> p = fast_two_sum(Vec<T>::set1(T(1)), r.high + q);
  return {p.high, n, p.low};
}
template <class T>
LN_INLINE ExpParts<T> exp_parts(Vec<T> x) {
  return exp_parts(Two<T>{x, Vec<T>::zero()});
}
// A few instructions shorter, at 1 ULP instead of 0.75.
template <class T>
LN_INLINE ExpParts<T> exp_parts_short(Vec<T> x) {
  typedef MathConstants<T> M;
  const Vec<T> n = round(x * Vec<T>::set1(M::log2e));
  const Vec<T> r = fnma(n, Vec<T>::set1(M::ln2_low), fnma(n, Vec<T>::set1(M::ln2_high), x));
  return {fma(r * r, poly(r, M::exp_q), r) + Vec<T>::set1(T(1)), n, Vec<T>::zero()};
}
// p 2^n for parts whose value is wanted only beside a 1: too small ones may keep a wrong exponent below 2^-100.
template <class T>
LN_INLINE Two<T> exp_beside_one(ExpParts<T> e) {
  const Vec<T> scale = pow2i(max(Vec<T>::set1(T(-100)), e.n));
  return {e.p * scale, e.p_low * scale};
}

template <class T>
LN_INLINE Vec<T> exp(Vec<T> x) {
  typedef MathConstants<T> M;
  const ExpParts<T> e = exp_parts_short(max(Vec<T>::set1(M::exp_min), min(Vec<T>::set1(M::exp_max), x)));
  return ldexp(e.p, e.n);
}

// (exp(x) - 1) 2^-shift as a sum of two: with h = 2^(n - shift) it is (h - 2^-shift) + h r + h (expm1(r) - r), whose
// first addition is kept exactly.
template <int shift, class T>
LN_INLINE Two<T> expm1_two(Vec<T> x) {
  typedef MathConstants<T> M;
  const T lowest = sizeof(T) == 4 ? T(-20) : T(-40);  // -1 to the last bit from there on
  const Vec<T> c = max(Vec<T>::set1(lowest), min(Vec<T>::set1(M::exp_max), x));
  const Vec<T> n = round(c * Vec<T>::set1(M::log2e));
  const Vec<T> r_high = fnma(n, Vec<T>::set1(M::ln2_high), c);
  const Vec<T> n_low = n * Vec<T>::set1(M::ln2_low);
  const Vec<T> r = r_high - n_low;
  const Vec<T> r_low = (r_high - r) - n_low;
  const Vec<T> q = fma(r * r, poly(r, M::expm1_q), r_low);
  const Vec<T> h = pow2i(n - Vec<T>::set1(T(shift)));
  const Two<T> s = fast_two_sum(h - Vec<T>::set1(T(1) / T(1 << shift)), h * r);
  return {s.high, fma(h, q, s.low)};
}
// Halves, so that the largest results do not overflow early.
template <class T>
LN_INLINE Vec<T> expm1(Vec<T> x) {
  const Two<T> half = expm1_two<1>(x);
  const Vec<T> sum = half.high + half.low;
  return select(abs(x) < Vec<T>::set1(MathConstants<T>::epsilon), x, sum + sum);
}
// (c + c_low) (exp(x) - 1) with one rounding, for x <= 0.
template <class T>
LN_INLINE Vec<T> scaled_expm1(Vec<T> x, Vec<T> c, Vec<T> c_low) {
  const Two<T> e = expm1_two<0>(min(Vec<T>::zero(), x));
  return fma(c, e.high, fma(c, e.low, c_low * e.high));
}

// --- logarithm
// --------------------------------------------------------------------------------------------------------

// x = (1 + f) 2^k with 1 + f in [sqrt(1/2), sqrt(2)), for positive finite normal x.
template <class T>
struct LogParts {
  Vec<T> f, k;
};
template <class T>
LN_INLINE LogParts<T> log_parts(Vec<T> x) {
  typedef FloatTraits<T> F;
  typedef MathConstants<T> M;
  typedef typename LanesOf<T>::int_type I;
  const I one_bits = static_cast<I>(F::bias) << F::mantissa_bits;
  const Int<T> moved = as_int(x) + Int<T>::set1(one_bits - M::sqrt_half_bits);
  const Int<T> biased = shift_right<F::mantissa_bits>(moved);
  const Int<T> mantissa = (moved & Int<T>::set1((I(1) << F::mantissa_bits) - 1)) + Int<T>::set1(M::sqrt_half_bits);
  // A small integer put into the mantissa of 2^mantissa_bits is converted by subtracting that power.
  const T magic = sizeof(T) == 4 ? T(0x1p23) : T(0x1p52);
  const Vec<T> k = as_float(biased | as_int(Vec<T>::set1(magic))) - Vec<T>::set1(magic + T(F::bias));
  return {as_float(mantissa) - Vec<T>::set1(T(1)), k};
}
// log(1 + f) + k ln 2.
template <class T>
LN_INLINE Vec<T> log_sum(LogParts<T> parts) {
  typedef MathConstants<T> M;
  const Vec<T> f = parts.f, k = parts.k;
  const Vec<T> half_square = Vec<T>::set1(T(0.5)) * f * f;
  const Vec<T> s = f / (Vec<T>::set1(T(2)) + f);
  const Vec<T> z = s * s;
  const Vec<T> r = z * poly(z, M::log_r);
  const Vec<T> low = fma(s, half_square + r, k * Vec<T>::set1(M::ln2_low));
  return fma(k, Vec<T>::set1(M::ln2_high), f - (half_square - low));
}
template <class T>
LN_INLINE LogParts<T> log_parts_with_denormals(Vec<T> x) {
  typedef MathConstants<T> M;
  const Mask<T> tiny = x < Vec<T>::set1(FloatTraits<T>::smallest_normal);
  LogParts<T> parts = log_parts(select(tiny, x * Vec<T>::set1(M::denormal_scale), x));
  parts.k = parts.k - keep(tiny, Vec<T>::set1(T(M::denormal_shift)));
  return parts;
}
// The values of log outside (0, inf): log(0) = -inf, log(inf) = inf, NaN for x < 0 and NaN.
template <class T>
LN_INLINE Vec<T> log_special(Vec<T> x, Vec<T> result) {
  const Vec<T> infinity = Vec<T>::set1(FloatTraits<T>::infinity);
  result = select(x < infinity, result, x);
  result = select(x == Vec<T>::zero(), -infinity, result);
  return select(x < Vec<T>::zero(), Vec<T>::set1(T(__builtin_nan(""))), result);
}
template <class T>
LN_INLINE Vec<T> log(Vec<T> x) {
  return log_special(x, log_sum(log_parts_with_denormals(x)));
}

// log(1 + x): u = 1 + x is cut into 1 + f and 2^k; what the rounding of u lost is added to f.
template <class T>
LN_INLINE Vec<T> log1p(Vec<T> x) {
  typedef FloatTraits<T> F;
  typedef typename LanesOf<T>::int_type I;
  const Vec<T> one = Vec<T>::set1(T(1));
  const Two<T> u = two_sum(one, x);
  LogParts<T> parts = log_parts(u.high);
  const Vec<T> lost = keep(x < Vec<T>::set1(T(I(1) << (F::mantissa_bits + 2))), u.low);
  parts.f = fma(lost, pow2i(max(Vec<T>::set1(T(-(F::mantissa_bits + 3))), -parts.k)), parts.f);
  const Vec<T> result = log_special(u.high, log_sum(parts));
  return select(abs(x) < Vec<T>::set1(MathConstants<T>::epsilon), x, result);
}
// log(1 + e) for e in [0, 1]: above sqrt(2), 1 + e = 2 (1 + (e - 1) / 2).
template <class T>
LN_INLINE Vec<T> log1p_unit(Vec<T> e) {
  const Mask<T> upper = e > Vec<T>::set1(T(0.41421356));
  const Vec<T> half = (e - Vec<T>::set1(T(1))) * Vec<T>::set1(T(0.5));
  return log_sum(LogParts<T>{select(upper, half, e), keep(upper, Vec<T>::set1(T(1)))});
}

// --- sigmoid, tanh and relatives
// --------------------------------------------------------------------------------------

// numerator / denominator as a sum of two.
template <class T>
LN_INLINE Two<T> divide_two(Two<T> numerator, Two<T> denominator) {
  const Vec<T> inverse = Vec<T>::set1(T(1)) / denominator.high;
  const Vec<T> q = numerator.high * inverse;
  const Vec<T> lows = fnma(q, denominator.low, numerator.low);
  if (kHasFma) return {q, (fnma(q, denominator.high, numerator.high) + lows) * inverse};
  const Two<T> back = two_product(q, denominator.high);
  return {q, (((numerator.high - back.high) - back.low) + lows) * inverse};
}
// sigmoid(w) = (result) 2^n for w < 0, and the result itself for w >= 0, given exp(-|w|) in parts.
template <class T>
LN_INLINE Two<T> sigmoid_two(Mask<T> negative, ExpParts<T> parts) {
  const Vec<T> one = Vec<T>::set1(T(1));
  const Two<T> e = exp_beside_one(parts);
  Two<T> d = fast_two_sum(one, e.high);
  d.low = d.low + e.low;
  return divide_two(Two<T>{select(negative, parts.p, one), keep(negative, parts.p_low)}, d);
}
// c a 2^n where negative, c a elsewhere. c may be infinite.
template <class T>
LN_INLINE Vec<T> scaled_product(Vec<T> c, Two<T> a, Mask<T> negative, Vec<T> n) {
  return ldexp(fma(c, a.high, min(Vec<T>::set1(FloatTraits<T>::largest), c) * a.low), keep(negative, n));
}

// e = exp(-|x|); 1 / (1 + e) for x >= 0 and e / (1 + e) below. Plain arithmetic would leave 2.2 ULP below 0. Floats get
// the rounding error p_low / p of e back, with p near 1, which leaves 1.9; doubles are computed in two words, 0.9.
template <class T>
LN_INLINE Vec<T> sigmoid(Vec<T> x) {
  typedef MathConstants<T> M;
  const Vec<T> one = Vec<T>::set1(T(1));
  const Mask<T> negative = x < Vec<T>::zero();
  const ExpParts<T> parts = exp_parts(max(Vec<T>::set1(M::exp_min), -abs(x)));
  if (sizeof(T) == 4) {
    const Vec<T> e = ldexp(parts.p, parts.n);
    const Vec<T> q = select(negative, e, one) / (one + e);
    return fma(q, keep(negative, parts.p_low), q);
  }
  const Two<T> s = sigmoid_two(negative, parts);
  return ldexp(s.high + s.low, keep(negative, parts.n));
}

// 1 - 2 / (exp(2 |x|) + 1), and a rational function where that would cancel; one division serves both.
LN_INLINE Vec<double> tanh(Vec<double> x) {
  typedef MathConstants<double> M;
  const Vec<double> one = Vec<double>::set1(1.0);
  const Vec<double> a = min(Vec<double>::set1(M::tanh_limit), abs(x));
  const Mask<double> small = a < Vec<double>::set1(0.625);
  const ExpParts<double> e = exp_parts_short(a + a);
  const Vec<double> denominator = fma(e.p, pow2i(e.n), one);
  const Vec<double> z = a * a;
  const Vec<double> numerator = z * poly(z, M::tanh_p);
  const Vec<double> quotient =
      select(small, numerator, Vec<double>::set1(2.0)) / select(small, poly(z, M::tanh_q), denominator);
  return copysign(select(small, fma(a, quotient, a), one - quotient), x);
}

// In float32 for `count` vectors in step.
#ifdef LN_HAS_LOOKUP
constexpr int kTanhInStep = 1;
template <int count>
LN_INLINE void tanh_each(Vec<float> (&x)[count]) {
  unroll<count>(LN_EACH(i) { x[i] = tanh_by_table(x[i]); });
}
#else
// As for double, with a polynomial near 0. In step, because one vector alone is a chain of 60 cycles, and a CPU that
// schedules few instructions at a time does not see the next. 23 instructions and a division; at most 1.94 ULP. One
// vector at a time, with exp_parts_short, took 33 instructions and 1.47 times as long (Zen 1).
constexpr int kTanhInStep = 2;
template <int count>
LN_INLINE void tanh_each(Vec<float> (&x)[count]) {
  typedef MathConstants<float> M;
  typedef Vec<float> V;
  // An integer in its lowest bits, moved to the exponent's, makes a power of 2.
  const V magic = V::set1(0x1.8p23f + 127.0f), one = V::set1(1.0f);
  V a[count], r[count], scale[count], e[count], z[count], small[count];
  unroll<count>(LN_EACH(i) { a[i] = min(V::set1(M::tanh_limit), abs(x[i])); });
  unroll<count>(LN_EACH(i) { scale[i] = fma(a[i], V::set1(2 * M::log2e), magic); });
  unroll<count>(LN_EACH(i) { r[i] = fnma(scale[i] - magic, V::set1(M::half_ln2), a[i]); });
  unroll<count>(LN_EACH(i) { scale[i] = as_float(shift_left<23>(as_int(scale[i]))); });
  constexpr int last_e = sizeof(M::tanh_e) / sizeof(float) - 1, last_p = sizeof(M::tanh_p) / sizeof(float) - 1;
  unroll<count>(LN_EACH(i) { e[i] = V::set1(M::tanh_e[last_e]); });
  unroll<last_e>(
      LN_EACH(k) { unroll<count>(LN_EACH(i) { e[i] = fma(e[i], r[i], V::set1(M::tanh_e[last_e - 1 - k])); }); });
  unroll<count>(LN_EACH(i) { e[i] = V::set1(2.0f) / fma(e[i], scale[i], one); });
  unroll<count>(LN_EACH(i) { z[i] = a[i] * a[i]; });
  unroll<count>(LN_EACH(i) { small[i] = V::set1(M::tanh_p[last_p]); });
  unroll<last_p>(LN_EACH(k) {
    unroll<count>(LN_EACH(i) { small[i] = fma(small[i], z[i], V::set1(M::tanh_p[last_p - 1 - k])); });
  });
  unroll<count>(LN_EACH(i) { small[i] = fma(a[i], small[i] * z[i], a[i]); });
  unroll<count>(
      LN_EACH(i) { x[i] = flip_sign(select(a[i] < V::set1(M::tanh_small), small[i], one - e[i]), sign_of(x[i])); });
}
#endif

template <class T>
LN_INLINE Vec<T> softplus(Vec<T> x) {
  return max(Vec<T>::zero(), x) + log1p_unit(exp(-abs(x)));
}

template <class T>
LN_INLINE Vec<T> softsign(Vec<T> x) {
  const Vec<T> a = min(Vec<T>::set1(FloatTraits<T>::largest), abs(x));
  return copysign(a / (Vec<T>::set1(T(1)) + a), x);
}

// x sigmoid(x). Below 0 the factor 2^n of exp(x) is applied last; -inf gives the limit, -0.
template <class T>
LN_INLINE Vec<T> silu(Vec<T> x) {
  typedef MathConstants<T> M;
  const Mask<T> negative = x < Vec<T>::zero();
  const Vec<T> c = max(Vec<T>::set1(M::exp_min), x);
  const ExpParts<T> parts = exp_parts(max(Vec<T>::set1(M::exp_min), -abs(x)));
  return scaled_product(c, sigmoid_two(negative, parts), negative, parts.n);
}

// x tanh(softplus(x)); with e = exp(-|x|) the second factor is (1 + 2 e) / (1 + 2 e + 2 e^2) for x >= 0 and
// e (2 + e) / (2 + 2 e + e^2) below.
template <class T>
LN_INLINE Vec<T> mish(Vec<T> x) {
  typedef MathConstants<T> M;
  const Vec<T> one = Vec<T>::set1(T(1)), two = Vec<T>::set1(T(2));
  const Mask<T> negative = x < Vec<T>::zero();
  const Vec<T> c = max(Vec<T>::set1(M::exp_min), x);
  const ExpParts<T> parts = exp_parts(max(Vec<T>::set1(M::exp_min), -abs(x)));
  const Two<T> e = exp_beside_one(parts);
  Two<T> square = two_product(e.high, e.high);
  square.low = fma(two * e.high, e.low, square.low);
  // 2 + 2 e + e^2, or 1 + 2 e + 2 e^2
  const Two<T> linear = fast_two_sum(select(negative, two, one), e.high + e.high);
  const Vec<T> weight = select(negative, one, two);
  Two<T> d = fast_two_sum(linear.high, weight * square.high);
  d.low = d.low + (linear.low + fma(weight, square.low, e.low + e.low));
  // p (2 + e), or 1 + 2 e
  const Two<T> above = fast_two_sum(select(negative, two, one), select(negative, e.high, e.high + e.high));
  const Vec<T> above_low = above.low + select(negative, e.low, e.low + e.low);
  Two<T> numerator = two_product(above.high, select(negative, parts.p, one));
  numerator.low = numerator.low + select(negative, fma(above.high, parts.p_low, above_low * parts.p), above_low);
  return scaled_product(c, divide_two(numerator, d), negative, parts.n);
}

// --- normal distribution: erf, gelu
// -----------------------------------------------------------------------------------

// Phi(-a) = v g exp(-a^2 / 2) for 0 <= a <= mills_limit, and the argument of that exponential.
template <class T>
struct NormalTail {
  Vec<T> v;
  Two<T> g, exponent;
};
template <class T>
LN_INLINE NormalTail<T> normal_tail(Vec<T> a) {
  typedef MathConstants<T> M;
  const Vec<T> k = Vec<T>::set1(M::mills_k), one = Vec<T>::set1(T(1));
  const Two<T> d = two_sum(a, k);
  const Vec<T> v = one / d.high;
  // u = 1 - 2 K v. What the rounding of d and of 1 / d lost is a relative error c of v, so it can be added to the
  // exponent; it moves u by -2 K v c, and with it log G by about -u_slope 2 K v c (u_slope: -1.1 at a = 0, -0.8 at a =
  // K).
  const Vec<T> k2v = Vec<T>::set1(T(2) * M::mills_k) * v;  // exact, K is a power of two
  const Two<T> u = fast_two_sum(one, -k2v);
  const Two<T> product = two_product(v, d.high);
  const Vec<T> c = fnma(v, d.low, (one - product.high) - product.low);
  const Vec<T> u_error = fnma(k2v, c, u.low);
  const Vec<T> slope = fma(Vec<T>::set1(T(0.28)), u.high, Vec<T>::set1(T(-0.81)));
  const Vec<T> correction = fma(slope, u_error, c);
  // Horner's rule, as the polynomial cancels towards u = 1 and even and odd powers apart would be large there.
  constexpr int n = sizeof(M::mills_g) / sizeof(T);
  Vec<T> p = Vec<T>::set1(M::mills_g[n - 1]);
  for (int i = n - 2; i >= 1; --i) p = fma(p, u.high, Vec<T>::set1(M::mills_g[i]));
  const Vec<T> g0 = Vec<T>::set1(M::mills_g[0]);
  const Vec<T> g = fma(p, u.high, g0);
  const Vec<T> g_low = fma(p, u.high, g0 - g);  // g0 is a multiple of an ULP of 1, so g0 - g is exact
  const Two<T> square = two_product(a, a);
  const Vec<T> minus_half = Vec<T>::set1(T(-0.5));
  return {v, {g, g_low}, {minus_half * square.high, fma(minus_half, square.low, correction)}};
}

template <class T>
LN_INLINE Vec<T> erf(Vec<T> x) {
  typedef MathConstants<T> M;
  const T limit = sizeof(T) == 4 ? T(4) : T(6);  // erf is 1 to the last bit from there on
  const Vec<T> one = Vec<T>::set1(T(1));
  const Vec<T> a = min(Vec<T>::set1(limit), abs(x));
  const Vec<T> z = a * a;
  const Vec<T> small = fma(a, poly(z, M::erf_p), a);
  // erfc(a) = 2 Phi(-a sqrt 2); at most 0.16 here, so its own last bits do not count.
  const NormalTail<T> tail = normal_tail(a * Vec<T>::set1(T(1.4142135623730951)));
  const ExpParts<T> e = exp_parts_short(-z);
  const Vec<T> erfc = (tail.v + tail.v) * tail.g.high * (e.p * pow2i(e.n));
  return copysign(select(a < one, small, one - erfc), x);
}

// x Phi(x): -a Phi(-a) below 0, x - x Phi(-a) above, a = |x|.
template <class T>
LN_INLINE Vec<T> gelu(Vec<T> x) {
  typedef MathConstants<T> M;
  const Mask<T> negative = x < Vec<T>::zero();
  const Vec<T> a = min(Vec<T>::set1(M::mills_limit), abs(x));
  const NormalTail<T> tail = normal_tail(a);
  const ExpParts<T> e = exp_parts(tail.exponent);
  Two<T> t = two_product(tail.g.high, e.p);
  t.low = fma(tail.g.high, e.p_low, fma(tail.g.low, e.p, t.low));
  const Two<T> av = two_product(-a, tail.v);
  const Vec<T> factor = select(negative, av.high, tail.v);
  const Vec<T> y = ldexp(fma(factor, t.high, fma(factor, t.low, keep(negative, av.low) * t.high)), e.n);
  return select(negative, y, fnma(min(Vec<T>::set1(FloatTraits<T>::largest), x), y, x));
}

// w(a) = 2 sqrt(2 / pi) (a + 0.044715 a^3) in two words, 0 <= a <= gelu_tanh_limit: its error is multiplied by w in
// exp(w).
template <class T>
LN_INLINE Two<T> gelu_tanh_argument(Vec<T> a) {
  typedef MathConstants<T> M;
  const Vec<T> c1 = Vec<T>::set1(M::gelu_c1), c3 = Vec<T>::set1(M::gelu_c3);
  const Two<T> square = two_product(a, a);
  const Two<T> cubic = two_product(c3, square.high);
  const Two<T> sum = two_sum(c1, cubic.high);
  Vec<T> low = fma(c3, square.low, fma(Vec<T>::set1(M::gelu_c3_low), square.high, cubic.low));
  low = low + (sum.low + Vec<T>::set1(M::gelu_c1_low));
  const Two<T> w = two_product(a, sum.high);
  return {w.high, fma(a, low, w.low)};
}
// x sigmoid(w(x)), which is x (1 + tanh(w / 2)) / 2.
template <class T>
LN_INLINE Vec<T> gelu_tanh(Vec<T> x) {
  typedef MathConstants<T> M;
  const Mask<T> negative = x < Vec<T>::zero();
  const Vec<T> a = min(Vec<T>::set1(M::gelu_tanh_limit), abs(x));
  const Two<T> w = gelu_tanh_argument(a);
  const ExpParts<T> parts = exp_parts(Two<T>{-w.high, -w.low});
  return scaled_product(select(negative, -a, x), sigmoid_two(negative, parts), negative, parts.n);
}

// --- derivatives of the activations above, given x
// --------------------------------------------------------------------

// s(1 + x w' (1 - s)) with s = sigmoid(w), e = exp(-|w|), b = |x| w':
// ((1 + e) + b e) / (1 + e)^2 for x >= 0, e ((1 + e) - b) / (1 + e)^2 below.
template <class T>
LN_INLINE Vec<T> gated_derivative(Mask<T> negative, ExpParts<T> parts, Vec<T> b) {
  const Vec<T> e = exp_beside_one(parts).high;
  const Vec<T> d = Vec<T>::set1(T(1)) + e;
  const Vec<T> numerator = select(negative, parts.p * (d - b), fma(b, e, d));
  return ldexp(numerator / (d * d), keep(negative, parts.n));
}
template <class T>
LN_INLINE Vec<T> silu_derivative(Vec<T> x) {
  const Vec<T> a = min(Vec<T>::set1(-MathConstants<T>::exp_min), abs(x));
  return gated_derivative(x < Vec<T>::zero(), exp_parts(-a), a);
}
template <class T>
LN_INLINE Vec<T> gelu_tanh_derivative(Vec<T> x) {
  typedef MathConstants<T> M;
  const Vec<T> a = min(Vec<T>::set1(M::gelu_tanh_limit), abs(x));
  const Two<T> w = gelu_tanh_argument(a);
  const Vec<T> slope = fma(Vec<T>::set1(T(3) * M::gelu_c3), a * a, Vec<T>::set1(M::gelu_c1));
  return gated_derivative(x < Vec<T>::zero(), exp_parts(Two<T>{-w.high, -w.low}), a * slope);
}
// Phi(x) + x phi(x); its value at -a is 1 minus that at a.
template <class T>
LN_INLINE Vec<T> gelu_derivative(Vec<T> x) {
  typedef MathConstants<T> M;
  const Vec<T> a = min(Vec<T>::set1(M::mills_limit), abs(x));
  const NormalTail<T> tail = normal_tail(a);
  const ExpParts<T> e = exp_parts(tail.exponent);
  const Vec<T> density = Vec<T>::set1(M::gelu_c1 * T(0.25));  // 1 / sqrt(2 pi)
  const Vec<T> at_minus_a = ldexp(fms(tail.v, tail.g.high, a * density) * e.p, e.n);
  return select(x < Vec<T>::zero(), at_minus_a, Vec<T>::set1(T(1)) - at_minus_a);
}
// With e = exp(-|x|), d the denominator of mish: (1 + 2 e) / d + x 4 e^2 (1 + e) / d^2 for x >= 0,
// e (2 + e) / d + x 4 e (1 + e) / d^2 below.
template <class T>
LN_INLINE Vec<T> mish_derivative(Vec<T> x) {
  typedef MathConstants<T> M;
  const Vec<T> one = Vec<T>::set1(T(1)), two = Vec<T>::set1(T(2)), four = Vec<T>::set1(T(4));
  const Mask<T> negative = x < Vec<T>::zero();
  const Vec<T> a = min(Vec<T>::set1(-M::exp_min), abs(x));
  const ExpParts<T> parts = exp_parts(-a);
  const Vec<T> e = exp_beside_one(parts).high;
  const Vec<T> upper = fma(two, e, one);
  const Vec<T> d = select(negative, fma(e, e + two, two), fma(two * e, e, upper));
  const Vec<T> first = select(negative, parts.p * (e + two), upper);
  const Vec<T> second = four * a * (one + e) * select(negative, -parts.p, e * e);
  return ldexp(fma(first, d, second) / (d * d), keep(negative, parts.n));
}

// --- power
// ------------------------------------------------------------------------------------------------------------

// log(x) in two words for positive finite x, relative error about 2^-66: x^y needs 11 bits more than a double holds.
LN_INLINE Two<double> log_two(Vec<double> x) {
  typedef Vec<double> V;
  typedef MathConstants<double> M;
  const LogParts<double> parts = log_parts_with_denormals(x);
  const V f = parts.f;
  const Two<double> d = fast_two_sum(V::set1(2.0), f);
  const V inverse = V::set1(1.0) / d.high;
  // s = f / d
  Two<double> s;
  s.high = f * inverse;
  const Two<double> back = two_product(s.high, d.high);
  s.low = fnma(s.high, d.low, (f - back.high) - back.low) * inverse;
  // z = s^2
  Two<double> z = two_product(s.high, s.high);
  z.low = fma(s.high + s.high, s.low, z.low);
  // b = 2/3 + z tail(z)
  Two<double> b = fast_two_sum(V::set1(0x1.5555555555555p-1), z.high * poly(z.high, M::log_tail));
  b.low = b.low + V::set1(0x1.5555555555555p-55);
  // w = s z b
  Two<double> zb = two_product(z.high, b.high);
  zb.low = fma(z.high, b.low, fma(z.low, b.high, zb.low));
  Two<double> w = two_product(s.high, zb.high);
  w.low = fma(s.high, zb.low, fma(s.low, zb.high, w.low));
  Two<double> m = fast_two_sum(s.high + s.high, w.high);
  m.low = m.low + (s.low + s.low + w.low);
  Two<double> r = fast_two_sum(parts.k * V::set1(M::ln2_high), m.high);
  r.low = r.low + fma(parts.k, V::set1(M::ln2_low), m.low);
  return r;
}
// |x|^y where the result is finite and x is neither 0, inf nor NaN; beyond, 0 or inf.
LN_INLINE Vec<double> power_magnitude(Vec<double> x, Vec<double> y) {
  typedef Vec<double> V;
  const Two<double> l = log_two(x);
  y = max(V::set1(-0x1p900), min(V::set1(0x1p900), y));  // enough for 0 or inf, and two_product's range
  Two<double> p = two_product(y, l.high);
  p.low = keep(abs(p.high) < V::set1(800.0), fma(y, l.low, p.low));
  p.high = max(V::set1(-760.0), min(V::set1(710.0), p.high));
  const ExpParts<double> e = exp_parts(p);
  return ldexp(e.p, e.n);
}
// For floats y log(x) in doubles is accurate enough.
LN_INLINE Vec<double> power_magnitude_float(Vec<double> x, Vec<double> y) {
  return exp(y * log_sum(log_parts(x)));
}
LN_INLINE Vec<float> power_magnitude(Vec<float> x, Vec<float> y) {
  Vec<double> x_low, x_high, y_low, y_high;
  widen(x, x_low, x_high);
  widen(y, y_low, y_high);
  return narrow(power_magnitude_float(x_low, y_low), power_magnitude_float(x_high, y_high));
}
// The special values of x^y (IEEE 754, 9.2.1) around the magnitude for ordinary ones.
template <class T>
LN_INLINE Vec<T> power_special(Vec<T> x, Vec<T> y, Vec<T> magnitude) {
  typedef FloatTraits<T> F;
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set1(T(1)), infinity = Vec<T>::set1(F::infinity);
  const Vec<T> a = abs(x);
  const Vec<T> half = y * Vec<T>::set1(T(0.5));
  const Mask<T> integer = floor(y) == y;
  const Mask<T> odd = integer & (floor(half) != half);
  const Mask<T> grows = (y > zero) ^ (a < one);  // towards infinity where x is 0 or infinite, or y is infinite
  const Mask<T> extreme = (a == zero) | (a == infinity) | (abs(y) == infinity);
  Vec<T> r = select(extreme, select(grows, infinity, zero), magnitude);
  r = select(odd, flip_sign(r, sign_of(x)), r);
  r = select((x < zero) & ~integer & (a < infinity), Vec<T>::set1(T(__builtin_nan(""))), r);
  r = select(is_nan(x) | is_nan(y), x + y, r);
  const Mask<T> is_one = (y == zero) | (x == one) | ((a == one) & (abs(y) == infinity));
  return select(is_one, one, r);
}
template <class T>
LN_INLINE Vec<T> power(Vec<T> x, Vec<T> y) {
  return power_special(x, y, power_magnitude(abs(x), y));
}

// --- sine and cosine
// --------------------------------------------------------------------------------------------------

// |x| = q pi/2 + r, r in two words, for finite |x| beyond the range of the vector reduction. Payne and Hanek 1983: only
// the bits of 2/pi whose product with x is worth less than 4 are multiplied, in integers. At least 190 - 64 bits of the
// fraction are right; no double is nearer than 2^-62 to a multiple of pi/2.
__extension__ typedef unsigned __int128 uint128;
inline int reduce_far(double a, double* high, double* low) {
  // 2/pi in words of 64 bits after the point, after one word of zeros for small exponents.
  static const uint64_t two_over_pi[] = {0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
                                         0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
                                         0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
                                         0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
                                         0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
                                         0xf0cfbc209af4361d};
  uint64_t bits;
  memcpy(&bits, &a, 8);
  const int exponent = static_cast<int>(bits >> 52) - 1075;  // a = mantissa 2^exponent
  const uint64_t mantissa = (bits & 0xfffffffffffff) | 0x10000000000000;
  const int first = (exponent + 62) / 64;         // words before this one give multiples of 4
  const int shift = exponent - 64 * (first - 1);  // in [2, 65]: bits of the product above the point
  // mantissa * (four words), modulo 2^256, most significant word first
  uint64_t p[4];
  uint128 carry = 0;
  for (int i = 3; i >= 0; --i) {
    carry += static_cast<uint128>(mantissa) * two_over_pi[first + i];
    p[i] = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
  // Two bits of quotient, then the fraction.
  const int up = shift - 2;
  if (up > 0)
    for (int i = 0; i < 3; ++i) p[i] = p[i] << up | p[i + 1] >> (64 - up);
  int quotient = static_cast<int>(p[0] >> 62);
  uint64_t fraction[3] = {p[0] << 2 | p[1] >> 62, p[1] << 2 | p[2] >> 62, p[2] << 2};
  const bool negative = fraction[0] >> 63;
  if (negative) {
    ++quotient;
    for (uint64_t& word : fraction) word = ~word;
  }
  int scale = -64;
  while (fraction[0] == 0 && scale > -192) {
    fraction[0] = fraction[1];
    fraction[1] = fraction[2];
    fraction[2] = 0;
    scale -= 64;
  }
  const int zeros = fraction[0] ? __builtin_clzll(fraction[0]) : 0;
  if (zeros > 0) {
    fraction[0] = fraction[0] << zeros | fraction[1] >> (64 - zeros);
    fraction[1] = fraction[1] << zeros | fraction[2] >> (64 - zeros);
  }
  // 53 bits and the next 53, times pi/2.
  const uint64_t unit_bits = static_cast<uint64_t>(1023 + scale - zeros) << 52;
  double unit;
  memcpy(&unit, &unit_bits, 8);
  const double head = static_cast<double>(fraction[0] & ~uint64_t{0x7ff}) * unit;
  const double rest = (static_cast<double>(fraction[0] & 0x7ff) + static_cast<double>(fraction[1]) * 0x1p-64) * unit;
  const double pio2_high = 0x1.921fb54442d18p+0, pio2_low = 0x1.1a62633145c07p-54;
  const double split = MathConstants<double>::split;
  const double ch = split * head, cp = split * pio2_high;
  const double hh = ch - (ch - head), ph = cp - (cp - pio2_high), hl = head - hh, pl = pio2_high - ph;
  const double product = head * pio2_high;
  const double error = ((hh * ph - product) + hh * pl + hl * ph) + hl * pl;
  const double tail = error + (head * pio2_low + rest * pio2_high);
  const double sum = product + tail;
  *high = negative ? -sum : sum;
  *low = negative ? -(tail - (sum - product)) : tail - (sum - product);
  return quotient & 3;
}

template <class T>
struct Reduced {
  Two<T> r;
  Vec<T> quotient;  // integral, its value modulo 4 counts
};
// pi/2 in parts of 33 bits and a rest: products with |n| < 2^20 are exact but for the last.
LN_INLINE Reduced<double> reduce_near(Vec<double> x) {
  typedef Vec<double> V;
  const V n = round(x * V::set1(0x1.45f306dc9c883p-1));
  const V first = fnma(n, V::set1(0x1.921fb544p+0), x);
  const Two<double> second = two_sum(first, -(n * V::set1(0x1.0b4611a6p-34)));
  const Two<double> third = two_sum(second.high, -(n * V::set1(0x1.3198a2ep-69)));
  const V low = (second.low + third.low) - n * V::set1(0x1.b839a252049c1p-104);
  return {fast_two_sum(third.high, low), n};
}
// For floats two parts are enough (86 bits).
LN_INLINE Reduced<float> reduce_near(Vec<float> x) {
  typedef Vec<double> V;
  const V to_quotient = V::set1(0x1.45f306dc9c883p-1), first = V::set1(0x1.921fb544p+0),
          rest = V::set1(0x1.0b4611a626331p-34);
  V low, high;
  widen(x, low, high);
  const V n_low = round(low * to_quotient), n_high = round(high * to_quotient);
  const V r_low = fnma(n_low, rest, fnma(n_low, first, low)), r_high = fnma(n_high, rest, fnma(n_high, first, high));
  const Vec<float> r = narrow(r_low, r_high);
  V back_low, back_high;
  widen(r, back_low, back_high);
  return {{r, narrow(r_low - back_low, r_high - back_high)}, narrow(n_low, n_high)};
}
template <class T>
LN_INLINE Reduced<T> reduce_half_pi(Vec<T> x) {
  const Vec<T> limit = Vec<T>::set1(T(0x1p20));
  const Vec<T> a = abs(x);
  const Mask<T> far = (a >= limit) & (a < Vec<T>::set1(FloatTraits<T>::infinity));
  Reduced<T> reduced = reduce_near(select(far, Vec<T>::zero(), x));
  if (any(far)) {
    constexpr int size = Vec<T>::size;
    T in[size], high[size], low[size], quotient[size];
    keep(far, x).store(in);
    for (int i = 0; i < size; ++i) {
      high[i] = low[i] = quotient[i] = T(0);
      if (in[i] == T(0)) continue;
      double h, l;
      const int q = reduce_far(in[i] < T(0) ? -static_cast<double>(in[i]) : static_cast<double>(in[i]), &h, &l);
      const double sign = in[i] < T(0) ? -1.0 : 1.0;
      high[i] = static_cast<T>(sign * h);
      low[i] = static_cast<T>(sign * h - static_cast<double>(high[i]) + sign * l);
      quotient[i] = static_cast<T>(sign * q);
    }
    reduced.r.high = select(far, Vec<T>::load(high), reduced.r.high);
    reduced.r.low = select(far, Vec<T>::load(low), reduced.r.low);
    reduced.quotient = select(far, Vec<T>::load(quotient), reduced.quotient);
  }
  return reduced;
}
// sin(r + quarter pi/2 + q pi/2): q odd exchanges sine and cosine, q & 2 changes the sign.
template <class T, int quarter>
LN_INLINE Vec<T> sine(Vec<T> x) {
  typedef MathConstants<T> M;
  typedef typename LanesOf<T>::int_type I;
  const Reduced<T> reduced = reduce_half_pi(x);
  const Vec<T> r = reduced.r.high, r_low = reduced.r.low, one = Vec<T>::set1(T(1));
  const Vec<T> z = r * r;
  const Vec<T> half = Vec<T>::set1(T(0.5)) * z;
  const Vec<T> s = r + fma(r * z, poly(z, M::sin_s), fnma(half, r_low, r_low));
  const Vec<T> w = one - half;
  const Vec<T> c = w + (((one - w) - half) + fma(z * z, poly(z, M::cos_c), -(r * r_low)));
  // The quotient's last bits, read from the mantissa of a number that holds it as an integer.
  const T magic = sizeof(T) == 4 ? T(0x1.8p23) : T(0x1.8p52);
  const Int<T> q = as_int(reduced.quotient + Vec<T>::set1(magic + T(quarter)));
  const Mask<T> exchange = (q & Int<T>::set1(I(1))) == Int<T>::set1(I(1));
  const Int<T> sign = shift_left<static_cast<int>(sizeof(T)) * 8 - 2>(q & Int<T>::set1(I(2)));
  return flip_sign(select(exchange, c, s), sign);
}
template <class T>
LN_INLINE Vec<T> sin(Vec<T> x) {
  return select(abs(x) < Vec<T>::set1(MathConstants<T>::epsilon), x, sine<T, 0>(x));
}
template <class T>
LN_INLINE Vec<T> cos(Vec<T> x) {
  return sine<T, 1>(x);
}

LN_END_TARGET
