// dx = dy f'(v): gradients of the activations. v is the output y of f where f' is simplest in y, else its input x.
// At a kink the derivative is 0 (relu, abs) or the one TensorFlow 1.x takes (named below).
#pragma once

#include "elementwise.inl.h"
#include "math.inl.h"

LN_BEGIN_TARGET

// `expression` is in g (dy), v and the parameters p0, p1, all Vec<T>.
#define LN_DEFINE_GRAD_OF(name, T, suffix, unroll, parameters, expression)                            \
  inline void grad_##name##_##suffix(const T* dy, const T* in, T* dx, size_t n,                       \
                                     [[maybe_unused]] const double* p) noexcept {                     \
    typedef Vec<T> V;                                                                                 \
    [[maybe_unused]] typedef MathConstants<T> M;                                                      \
    [[maybe_unused]] const V p0 = V::set1(static_cast<T>(parameters > 0 ? p[0] : 0.0));               \
    [[maybe_unused]] const V p1 = V::set1(static_cast<T>(parameters > 1 ? p[1] : 0.0));               \
    [[maybe_unused]] const V zero = V::zero(), one = V::set1(1), two = V::set1(2);                    \
    map2<unroll>(dy, in, dx, n, [=](V g, V v) __attribute__((always_inline)) { return expression; }); \
  }
#define LN_DEFINE_GRAD(name, unroll, parameters, expression)            \
  LN_DEFINE_GRAD_OF(name, float, f32, unroll, parameters, (expression)) \
  LN_DEFINE_GRAD_OF(name, double, f64, unroll, parameters, (expression))

// clang-format off
// v = y
LN_DEFINE_GRAD(relu, 4, 0, select(v <= zero, zero, g))
LN_DEFINE_GRAD(tanh, 4, 0, g * ((one - v) * (one + v)))
LN_DEFINE_GRAD(sigmoid, 4, 0, g * (v * (one - v)))
LN_DEFINE_GRAD(elu, 4, 1, select(v < zero, g * (v + p0), g))
LN_DEFINE_GRAD(selu, 4, 0, g * select(v < zero, (v + V::set1(M::selu_scale_alpha)) + V::set1(M::selu_scale_alpha_low),
                                      V::set1(M::selu_scale)))
LN_DEFINE_GRAD(leaky_relu, 4, 1, select(v <= zero, p0 * g, g))  // alpha at 0
LN_DEFINE_GRAD(sqrt, 4, 0, (V::set1(0.5) * g) / v)
LN_DEFINE_GRAD(exp, 4, 0, g * v)
// v = x
LN_DEFINE_GRAD(abs, 4, 0, select(v == zero, zero, flip_sign(g, sign_of(v))))
LN_DEFINE_GRAD(square, 4, 0, g * (v + v))
LN_DEFINE_GRAD(softsign, 4, 0, (g / (one + abs(v))) / (one + abs(v)))
LN_DEFINE_GRAD(hard_sigmoid, 4, 0, keep(abs(v) <= V::set1(2.5), V::set1(0.2) * g))  // 0.2 at both ends
LN_DEFINE_GRAD(clip, 4, 2, keep((p0 <= v) & (v <= p1), g))                          // 1 at both ends
LN_DEFINE_GRAD(softplus, 1, 0, g * sigmoid(v))
LN_DEFINE_GRAD(gelu, 1, 0, g * gelu_derivative(v))
LN_DEFINE_GRAD(gelu_tanh, 1, 0, g * gelu_tanh_derivative(v))
LN_DEFINE_GRAD(silu, 1, 0, g * silu_derivative(v))
LN_DEFINE_GRAD(mish, 1, 0, g * mish_derivative(v))
// clang-format on
#undef LN_DEFINE_GRAD
#undef LN_DEFINE_GRAD_OF

LN_END_TARGET
