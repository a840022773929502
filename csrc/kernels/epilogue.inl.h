// What products do to rows they have just computed, while these are still in the cache: an activation or the derivative
// of one, by the kernel that a separate op would call. relu is none of it: products apply that to registers (see
// flush.h).
#pragma once

#include "dispatch.h"
#include "flush.h"
#include "kernel_args.h"
#include "simd/vec.h"

LN_BEGIN_TARGET

template <class T>
using UnaryFn = void (*)(const T*, T*, size_t, const double*) noexcept;

// The unary kernel behind an activation, from this instruction set's own table.
inline const KernelTable& own_table() noexcept {
  static const KernelTable* const table = table_for(LN_STRING(LN_TARGET));
  return *table;
}
template <class T>
UnaryFn<T> activation_kernel(int activation) noexcept {
  const KernelTable& table = own_table();
#define LN_ACTIVATION(constant, name)  \
  case constant:                       \
    if constexpr (sizeof(T) == 4)      \
      return table.unary_##name##_f32; \
    else                               \
      return table.unary_##name##_f64;
  switch (activation) {
    LN_ACTIVATION(kActTanh, tanh)
    LN_ACTIVATION(kActSigmoid, sigmoid)
    LN_ACTIVATION(kActElu, elu)
    LN_ACTIVATION(kActSelu, selu)
    LN_ACTIVATION(kActSoftplus, softplus)
    LN_ACTIVATION(kActSoftsign, softsign)
    LN_ACTIVATION(kActHardSigmoid, hard_sigmoid)
    LN_ACTIVATION(kActGelu, gelu)
    LN_ACTIVATION(kActGeluTanh, gelu_tanh)
    LN_ACTIVATION(kActSilu, silu)
    LN_ACTIVATION(kActMish, mish)
    LN_ACTIVATION(kActLeakyRelu, leaky_relu)
    default:
      return nullptr;
  }
#undef LN_ACTIVATION
}

// The kernel that multiplies by the derivative of an activation.
template <class T>
using GradFn = void (*)(const T*, const T*, T*, size_t, const double*) noexcept;
template <class T>
GradFn<T> gate_kernel(int activation) noexcept {
  const KernelTable& table = own_table();
#define LN_GATE(constant, name)       \
  case constant:                      \
    if constexpr (sizeof(T) == 4)     \
      return table.grad_##name##_f32; \
    else                              \
      return table.grad_##name##_f64;
  switch (activation) {
    LN_GATE(kActRelu, relu)
    LN_GATE(kActTanh, tanh)
    LN_GATE(kActSigmoid, sigmoid)
    LN_GATE(kActElu, elu)
    LN_GATE(kActSelu, selu)
    LN_GATE(kActSoftplus, softplus)
    LN_GATE(kActSoftsign, softsign)
    LN_GATE(kActHardSigmoid, hard_sigmoid)
    LN_GATE(kActGelu, gelu)
    LN_GATE(kActGeluTanh, gelu_tanh)
    LN_GATE(kActSilu, silu)
    LN_GATE(kActMish, mish)
    LN_GATE(kActLeakyRelu, leaky_relu)
    default:
      return nullptr;
  }
#undef LN_GATE
}

// An activation other than relu, or the derivative of any at a gate laid out like C, applied to rows just computed with
// denormals counting again.
template <class T>
class Epilogue {
 public:
  LN_INLINE Epilogue() : Epilogue(kActNone, nullptr) {}
  LN_INLINE Epilogue(int activation, const double* params, const T* gate = nullptr, const T* c = nullptr)
      : activation_(activation), params_(params), gate_(gate), c_(c) {}
  LN_INLINE bool none() const { return activation_ <= kActRelu && gate_ == nullptr; }
  void apply(T* c, size_t ldc, size_t m, size_t n, FlushDenormals& mode) const noexcept {
    mode.keep();
    const bool whole = n == ldc || m == 1;
    const size_t rows = whole ? 1 : m, columns = whole ? m * n : n;
    if (gate_ != nullptr) {
      const GradFn<T> f = gate_kernel<T>(activation_);
      const T* gate = gate_ + (c - c_);
      for (size_t i = 0; i < rows; ++i) f(c + i * ldc, gate + i * ldc, c + i * ldc, columns, params_);
    } else {
      const UnaryFn<T> f = activation_kernel<T>(activation_);
      for (size_t i = 0; i < rows; ++i) f(c + i * ldc, c + i * ldc, columns, params_);
    }
  }

 private:
  int activation_;
  const double* params_;
  const T* gate_;
  const T* c_;  // where the gate begins
};
template <class T>
LN_INLINE Epilogue<T> epilogue_of(const GemmArgs& g) {
  return Epilogue<T>(g.activation, g.act_params, static_cast<const T*>(g.gate), static_cast<const T*>(g.c));
}

LN_END_TARGET
