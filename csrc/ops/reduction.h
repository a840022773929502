// What the reductions share: axes, shapes and the loop over (outer, reduced, inner).
#pragma once

#include "ops/op_util.h"

namespace layernet {

// Attributes of every reduction. `all` with no axis given means every axis.
struct Reduction {
  Ints axis;
  bool all = true;
  bool keepdims = false;
  template <class V>
  void fields(V& visit) {
    visit("axis", axis);
    visit("all", all);
    visit("keepdims", keepdims);
  }
  Specs infer_reduction(const char* who, const InSpecs& in, DType out) const;
  // The reduced axes of x as a list.
  Ints axes_of(const Value& x) const;
  // g, of the output's shape, with the reduced axes as ones.
  Value restored(const char* who, Emitter& e, const Value& g, const Value& x) const;

  template <class T>
  using Kernel = void (*)(const T* x, T* y, std::size_t outer, std::size_t r, std::size_t inner);
  template <class T>
  using RowKernel = void (*)(const T* x, T* y, std::size_t rows, std::size_t n);
  struct Kernels {
    Kernel<float> f32;
    Kernel<double> f64;
    Kernel<std::int32_t> i32;
    Kernel<std::int64_t> i64;
  };
  // `mean`: the result is divided by the number of elements reduced.
  void prepare_reduction(Preparation& p, const char* kernel, const Kernels& k, bool mean = false) const;
  void prepare_bool_reduction(Preparation& p, const char* kernel, Kernel<std::uint8_t> k) const;
  void prepare_row_reduction(Preparation& p, const char* kernel, RowKernel<float> f32, RowKernel<double> f64) const;
  void prepare_variance(Preparation& p) const;
};

}  // namespace layernet
