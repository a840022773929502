// Indices as ops take them: int32 or int64, negative ones mostly counted from the end. run() must not fail, so an index
// outside the axis is no error when running: what would be read there is NaN (0 for integers), and what would be added
// there is dropped.
#pragma once

#include "ops/kernel_pick.h"

namespace layernet {

// Writes every index as int64: inside [0, size), or -1 where it is outside. Gives the number of those outside.
// `from_end`: -1 is the last.
inline std::size_t normal_indices(const View& indices, bool narrow, std::int64_t size, bool from_end,
                                  std::int64_t* out) noexcept {
  const std::size_t n = indices.size();
  std::size_t outside = 0;
  for (std::size_t i = 0; i < n; ++i) {
    std::int64_t at = narrow ? indices.as<std::int32_t>()[i] : indices.as<std::int64_t>()[i];
    if (at < 0 && from_end) at += size;
    const bool inside = at >= 0 && at < size;
    out[i] = inside ? at : -1;
    outside += inside ? 0 : 1;
  }
  return outside;
}

}  // namespace layernet
