// What products do to rows they have just computed, while these are still in the cache: an activation, by the kernel
// that a separate op would call. relu is none of it: products apply that to registers (see flush.h).
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

// An activation other than relu, applied to rows just computed with denormals counting again.
template <class T>
class Epilogue {
 public:
  LN_INLINE Epilogue() : activation_(kActNone), params_(nullptr) {}
  LN_INLINE Epilogue(int activation, const double* params) : activation_(activation), params_(params) {}
  LN_INLINE bool none() const { return activation_ <= kActRelu; }
  void apply(T* c, size_t ldc, size_t m, size_t n, FlushDenormals& mode) const noexcept {
    const UnaryFn<T> f = activation_kernel<T>(activation_);
    mode.keep();
    if (n == ldc || m == 1) {
      f(c, c, m * n, params_);
    } else {
      for (size_t i = 0; i < m; ++i) f(c + i * ldc, c + i * ldc, n, params_);
    }
  }

 private:
  int activation_;
  const double* params_;
};

LN_END_TARGET
