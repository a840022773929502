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

inline kernels::GemmArgs gemm_args(std::size_t m, std::size_t n, std::size_t k, const MatrixOperand& a,
                                   const MatrixOperand& b, void* c) noexcept {
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
kernels::GemmPlan gemm_plan(const kernels::GemmArgs& args) noexcept {
  if constexpr (std::is_same_v<T, double>)
    return kernels::plan_gemm_f64(args);
  else
    return kernels::plan_gemm_f32(args);
}

// Asks for the workspace of products of these sizes. Where a size hangs on the batch symbol, and in plans, whose
// products may be done in parts, the whole packed B is counted and what AMX wants, which no way of multiplying exceeds
// (kernels/gemm_auto.cpp).
template <class T>
void gemm_scratch(Preparation& p, Dim m, Dim n, Dim k, const MatrixOperand& a, const MatrixOperand& b) {
  constexpr std::int64_t kPanel = 128;  // columns by which a packed panel may be padded, on any instruction set
  if (!p.planning() && m.is_fixed() && n.is_fixed() && k.is_fixed()) {
    const auto args = gemm_args(static_cast<std::size_t>(m.value()), static_cast<std::size_t>(n.value()),
                                static_cast<std::size_t>(k.value()), a, b, nullptr);
    p.scratch(Dim(static_cast<std::int64_t>(gemm_plan<T>(args).workspace)), 1);
    return;
  }
  p.scratch(layernet::multiply(k, n, "gemm"), sizeof(T));
  if (sizeof(T) == 4 && p.kernels().gemm_amx_workspace != nullptr)
    p.scratch(Dim(static_cast<std::int64_t>(kernels::kAmxParts * p.kernels().gemm_amx_workspace(SIZE_MAX))), 1);
  const bool by_rows = n.is_fixed() && n.value() < kPanel;
  const std::int64_t panels = by_rows ? static_cast<std::int64_t>(kernels::kGemmRowSlices) : 1;
  p.scratch(layernet::multiply(k, Dim(panels * kPanel), "gemm"), sizeof(T));
  p.scratch(Dim(4096), 1);
}

// Floating-point operations of a product, of whose sizes at most one hangs on the batch symbol.
inline void estimate_product(Preparation& p, Dim m, Dim n, Dim k) {
  Dim count = 1;
  double each = 2;
  for (const Dim d : {m, n, k}) {
    if (d.is_fixed())
      each *= static_cast<double>(d.value());
    else if (count.is_fixed())
      count = d;
    else
      return;
  }
  p.work(count, each);
}

template <class T>
void gemm_run(const kernels::GemmArgs& args) noexcept {
  if constexpr (std::is_same_v<T, double>)
    kernels::gemm_auto_f64(kernels::plan_gemm_f64(args), args);
  else
    kernels::gemm_auto_f32(kernels::plan_gemm_f32(args), args);
}

template <class T>
kernels::GemmRows gemm_rows_begin(const kernels::GemmArgs& args) noexcept {
  if constexpr (std::is_same_v<T, double>)
    return kernels::gemm_rows_begin_f64(args);
  else
    return kernels::gemm_rows_begin_f32(args);
}
template <class T>
void gemm_rows(const kernels::GemmRows& way, const kernels::GemmArgs& args, std::size_t first, std::size_t count,
               void* c) noexcept {
  if constexpr (std::is_same_v<T, double>)
    kernels::gemm_rows_f64(way, args, first, count, c);
  else
    kernels::gemm_rows_f32(way, args, first, count, c);
}

template <class T>
void gemm_part(const kernels::GemmArgs& args, int part, int parts) noexcept {
  if constexpr (std::is_same_v<T, double>)
    kernels::gemm_part_f64(args, static_cast<std::size_t>(part), static_cast<std::size_t>(parts));
  else
    kernels::gemm_part_f32(args, static_cast<std::size_t>(part), static_cast<std::size_t>(parts));
}

}  // namespace layernet
