// Weights in a smaller type, as files hold them: bfloat16, or int8 with a scale for each channel. Exported for the
// program that tests the reader alone.
#pragma once

#include <cstddef>

#include "layernet/export.h"
#include "layernet/tensor.h"

namespace layernet {

struct SmallWeights {
  Tensor values;
  Tensor scale;  // int8 only: float32, 1 along every axis but that of the channels
};

// Rounds float32 weights of rank 2 to `type`; `axis` is that of the output channels. The scales are those of
// kernels/gemm_small.inl.h.
LAYERNET_API SmallWeights narrowed(const Tensor& weights, DType type, std::size_t axis);
// The float32 weights that these are, exactly. Preconditions: types as narrowed() gives them, `scale` broadcasts.
LAYERNET_API Tensor widened(const SmallWeights& small);

}  // namespace layernet
