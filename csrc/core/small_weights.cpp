// Rounding weights to a smaller type, and back.
#include "core/small_weights.h"

#include "kernels/dispatch.h"
#include "kernels/table.h"

namespace layernet {

namespace {

std::size_t size_of(const Tensor& t, std::size_t axis) {
  return static_cast<std::size_t>(t.shape()[axis].value());
}

}  // namespace

SmallWeights narrowed(const Tensor& weights, DType type, std::size_t axis) {
  const auto& k = kernels::active_kernels();
  SmallWeights small{Tensor::empty(Spec(type, weights.shape())), Tensor()};
  if (type != DType::int8) {
    k.cast(weights.data(), static_cast<int>(weights.dtype()), small.values.mutable_data(), static_cast<int>(type),
           static_cast<std::size_t>(weights.size()));
    return small;
  }
  Shape scales{Dim(1), Dim(1)};
  scales[axis] = weights.shape()[axis];
  small.scale = Tensor::empty(Spec(DType::float32, scales));
  const std::size_t columns = size_of(weights, 1);
  k.quantize_i8(weights.as<float>(), axis == 1 ? columns : 1, axis == 1 ? 1 : columns, size_of(weights, 1 - axis),
                size_of(weights, axis), static_cast<std::int8_t*>(small.values.mutable_data()),
                static_cast<float*>(small.scale.mutable_data()));
  return small;
}

Tensor widened(const SmallWeights& small) {
  Tensor weights = Tensor::empty(Spec(DType::float32, small.values.shape()));
  auto* to = static_cast<float*>(weights.mutable_data());
  kernels::active_kernels().cast(small.values.data(), static_cast<int>(small.values.dtype()), to,
                                 static_cast<int>(DType::float32), static_cast<std::size_t>(weights.size()));
  if (!small.scale) return weights;
  const std::size_t rows = size_of(weights, 0), columns = size_of(weights, 1);
  const bool by_row = small.scale.shape()[0] != Dim(1), by_column = small.scale.shape()[1] != Dim(1);
  const float* scale = small.scale.as<float>();
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) to[i * columns + j] *= scale[by_row ? i : by_column ? j : 0];
  return weights;
}

}  // namespace layernet
