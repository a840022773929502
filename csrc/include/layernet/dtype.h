// Element types. float16, bfloat16, int8 and uint8 are storage types: ops compute in float32 and round once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "layernet/export.h"

namespace layernet {

// The numbers are part of the kernels' interface (kernels/cast) and must not change.
enum class DType : std::uint8_t { float32, float64, float16, bfloat16, int8, uint8, int32, int64, bool_ };
constexpr int kDTypeCount = 9;

// Bytes of one element.
constexpr std::size_t item_size(DType t) noexcept {
  constexpr std::size_t kSizes[kDTypeCount] = {4, 8, 2, 2, 1, 1, 4, 8, 1};
  return kSizes[static_cast<int>(t)];
}
constexpr bool is_floating(DType t) noexcept {
  return static_cast<int>(t) <= 3;
}
constexpr bool is_half(DType t) noexcept {
  return t == DType::float16 || t == DType::bfloat16;
}
constexpr bool is_integer(DType t) noexcept {
  return static_cast<int>(t) >= 4 && static_cast<int>(t) <= 7;
}

// "float32", "bool", ...
LAYERNET_API const char* name_of(DType t) noexcept;
// The inverse; false when there is no such type.
LAYERNET_API bool dtype_from_name(std::string_view name, DType* out) noexcept;

}  // namespace layernet
