// The matrix product as ops use it, for both element types.
#pragma once

#include <type_traits>

#include "kernels/gemm_auto.h"
#include "kernels/kernel_args.h"
#include "ops/op_util.h"

namespace layernet {

// A row-major matrix, or its transpose, as an operand.
struct MatrixOperand {
  const void* data;
  std::size_t row_stride, column_stride;
};
inline MatrixOperand operand(const void* data, std::size_t columns, bool transposed) noexcept {
  return transposed ? MatrixOperand{data, 1, columns} : MatrixOperand{data, columns, 1};
}

inline kernels::GemmArgs gemm_args(std::size_t m, std::size_t n, std::size_t k, const MatrixOperand& a, const MatrixOperand& b,
                                   void* c) noexcept {
  kernels::GemmArgs g{};
  g.m = m;
  g.n = n;
  g.k = k;
  g.a = a.data;
  g.rsa = a.row_stride;
  g.csa = a.column_stride;
  g.b = b.data;
  g.rsb = b.row_stride;
  g.csb = b.column_stride;
  g.c = c;
  g.ldc = n;
  return g;
}

template <class T>
std::size_t gemm_scratch(const kernels::KernelTable& k, std::size_t m, std::size_t n, std::size_t depth) noexcept {
  if constexpr (std::is_same_v<T, double>)
    return kernels::gemm_auto_workspace_f64(k, m, n, depth);
  else
    return kernels::gemm_auto_workspace_f32(k, m, n, depth);
}

template <class T>
void gemm_run(const kernels::KernelTable& k, const kernels::GemmArgs& args) noexcept {
  if constexpr (std::is_same_v<T, double>)
    kernels::gemm_auto_f64(k, args);
  else
    kernels::gemm_auto_f32(k, args);
}

}  // namespace layernet
