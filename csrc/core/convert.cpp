// Single numbers, through the cast kernel so that rounding is the same everywhere.
#include "core/convert.h"

#include "kernels/dispatch.h"
#include "kernels/table.h"

namespace layernet {

void store_scalar(void* where, DType dtype, double value) noexcept {
  kernels::active_kernels().cast(&value, static_cast<int>(DType::float64), where, static_cast<int>(dtype), 1);
}

double load_scalar(const void* where, DType dtype) noexcept {
  double value = 0;
  kernels::active_kernels().cast(where, static_cast<int>(dtype), &value, static_cast<int>(DType::float64), 1);
  return value;
}

}  // namespace layernet
