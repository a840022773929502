// Kernels by element type: pick_kernel<T>(f32, f64), or LN_PICK(T, table, name) for table.name_f32 and table.name_f64.
#pragma once

#include <type_traits>

#include "ops/op_util.h"

namespace layernet {

template <class T, class F32, class F64>
constexpr auto pick_kernel(F32 f32, F64 f64) noexcept {
  if constexpr (std::is_same_v<T, double>) {
    (void)f32;
    return f64;
  } else {
    (void)f64;
    return f32;
  }
}
#define LN_PICK(T, table, name) pick_kernel<T>((table).name##_f32, (table).name##_f64)

// A part of the scratch, as Preparation::scratch laid it out; `at` moves on.
template <class T>
T* take_scratch(unsigned char*& at, std::size_t count) noexcept {
  T* part = reinterpret_cast<T*>(at);
  at += scratch_part(count * sizeof(T));
  return part;
}

}  // namespace layernet
