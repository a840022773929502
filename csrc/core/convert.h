// Single numbers between C++ and the element types (whole arrays: kernels/cast).
#pragma once

#include "layernet/dtype.h"

namespace layernet {

void store_scalar(void* where, DType dtype, double value) noexcept;
double load_scalar(const void* where, DType dtype) noexcept;

}  // namespace layernet
