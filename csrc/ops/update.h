// What the ops that change variables share. The first inputs are the variables, the first outputs their new values,
// which may lie in the same memory.
#pragma once

#include "ops/kernel_pick.h"

namespace layernet {

constexpr const char* kUpdateNoGradient = "an update changes a variable and gives no value";

// Inputs: `variables` of one shape and type, a gradient (or value) like them, then `scalars` single numbers of that
// type.
inline Specs infer_update(const char* who, const InSpecs& in, std::size_t variables, std::size_t scalars) {
  const std::size_t like = variables + 1;
  expect_inputs(who, in, like + scalars);
  Specs out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    expect_same_dtype(who, in.dtype(0), in.dtype(i));
    const Shape &want = in.shape(0), &got = in.shape(i);
    if (i >= like) {
      if (!got.empty()) fail_shape(who, "single numbers after the gradient", join("shape ", got));
      continue;
    }
    if (got.size() != want.size()) fail_shape(who, join("shape ", want, " like the variable's"), join("shape ", got));
    for (std::size_t d = 0; d < want.size(); ++d)
      same_dim(who, "sizes of the variable and what changes it", want[d], got[d]);
    if (i < variables) out.push_back(in[0]);
  }
  return out;
}
inline Specs infer_optimizer(const char* who, const InSpecs& in, std::size_t variables, std::size_t scalars) {
  if (in.size() != 0) expect_floating(who, in.dtype(0));
  return infer_update(who, in, variables, scalars);
}

// A 0-d input.
template <class T>
double number(const View& v) noexcept {
  return static_cast<double>(*v.as<T>());
}

// Chooses run by the variable's type. Elements are updated apart from each other.
inline void prepare_update(Preparation& p, const char* kernel, Step::Run f32, Step::Run f64) {
  p.run(p.in(0).dtype == DType::float64 ? f64 : f32, kernel);
  p.elementwise();
}

}  // namespace layernet
