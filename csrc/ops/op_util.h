// What op files share: shape rules with their errors, preparation of elementwise ops, and `emit`, by which one op uses
// another in its gradient without knowing its internals.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/error.h"
#include "kernels/table.h"
#include "layernet/op.h"

namespace layernet {

// Every op by name: gives the definitions external linkage.
#define LN_OP(name) extern const OpDef name##_op;
#include "ops/ops.def"
#undef LN_OP

// ---- rules for shapes and types
// ------------------------------------------------------------------------------------------

// numpy's broadcasting. A batch symbol broadcasts with itself and with 1; an unknown size with anything.
Shape broadcast(const char* who, const Shape& a, const Shape& b);
// Equality of two sizes as far as it is known; gives the better known one.
Dim same_dim(const char* who, const char* what, Dim a, Dim b);
// -1 is the last of `rank` axes.
std::size_t axis_index(const char* who, std::int64_t axis, std::size_t rank);
// Distinct axes in rising order; an empty list with `all` is every axis.
SmallVector<std::size_t, 6> axis_indices(const char* who, const Ints& axes, bool all, std::size_t rank);
void expect_inputs(const char* who, const InSpecs& in, std::size_t count);
void expect_floating(const char* who, DType t);
void expect_arithmetic(const char* who, DType t);  // anything but bool
void expect_bool(const char* who, DType t);
void expect_index(const char* who, DType t);  // int32 or int64
void expect_same_dtype(const char* who, DType a, DType b);
void expect_rank(const char* who, const Shape& s, std::size_t rank);
void expect_min_rank(const char* who, const Shape& s, std::size_t rank);

inline Specs one_spec(DType t, Shape s) {
  Specs out;
  out.emplace_back(t, std::move(s));
  return out;
}
inline Values one_value(Value v) {
  Values out;
  out.push_back(std::move(v));
  return out;
}

// ---- elementwise ops
// -------------------------------------------------------------------------------------------------------

template <class T>
using UnaryFn = void (*)(const T* x, T* y, std::size_t n, const double* p);
template <class T, class R = T>
using BinaryFn = void (*)(const T* a, const T* b, R* y, std::size_t n, int mode);
template <class T>
using GradFn = void (*)(const T* dy, const T* v, T* dx, std::size_t n, const double* p);

// Output like the one floating input.
Specs infer_unary_float(const char* who, const InSpecs& in);
// Output like the input; i32 and i64 besides floats.
Specs infer_unary_arithmetic(const char* who, const InSpecs& in);
void prepare_unary(Preparation& p, const char* kernel, UnaryFn<float> f32, UnaryFn<double> f64, double p0 = 0,
                   double p1 = 0);
void prepare_unary_int(Preparation& p, const char* kernel, UnaryFn<std::int32_t> i32, UnaryFn<std::int64_t> i64);

// Broadcast of two inputs of one type.
Specs infer_binary(const char* who, const InSpecs& in);
Specs infer_compare(const char* who, const InSpecs& in);
struct ArithmeticKernels {
  BinaryFn<float> f32;
  BinaryFn<double> f64;
  BinaryFn<std::int32_t> i32 = nullptr;
  BinaryFn<std::int64_t> i64 = nullptr;
  BinaryFn<std::int8_t> i8 = nullptr;
  BinaryFn<std::uint8_t> u8 = nullptr;
};
struct CompareKernels {
  BinaryFn<float, std::uint8_t> f32;
  BinaryFn<double, std::uint8_t> f64;
  BinaryFn<std::int32_t, std::uint8_t> i32;
  BinaryFn<std::int64_t, std::uint8_t> i64;
  BinaryFn<std::int8_t, std::uint8_t> i8;
  BinaryFn<std::uint8_t, std::uint8_t> u8;
  BinaryFn<std::uint8_t, std::uint8_t> b8;
};
void prepare_binary(Preparation& p, const char* kernel, const ArithmeticKernels& k);
void prepare_compare(Preparation& p, const char* kernel, const CompareKernels& k);
void prepare_logical(Preparation& p, const char* kernel, BinaryFn<std::uint8_t> k);
#define LN_ARITHMETIC_KERNELS(k, f)                                                                              \
  ArithmeticKernels {                                                                                            \
    (k).binary_##f##_f32, (k).binary_##f##_f64, (k).binary_##f##_i32, (k).binary_##f##_i64, (k).binary_##f##_i8, \
        (k).binary_##f##_u8                                                                                      \
  }
#define LN_COMPARE_KERNELS(k, f)                                                                                      \
  CompareKernels {                                                                                                    \
    (k).compare_##f##_f32, (k).compare_##f##_f64, (k).compare_##f##_i32, (k).compare_##f##_i64, (k).compare_##f##_i8, \
        (k).compare_##f##_u8, (k).compare_##f##_b8                                                                    \
  }

// Gradient of an elementwise function: (dy, v) of one shape, where v is the function's input or output.
Specs infer_elementwise_grad(const char* who, const InSpecs& in);
void prepare_elementwise_grad(Preparation& p, const char* kernel, GradFn<float> f32, GradFn<double> f64, double p0 = 0,
                              double p1 = 0);

// Loops over the blocks of a broadcast: for each, the two inputs are a vector or one scalar.
// Calls body(offset_a, offset_b, offset_y, n, mode) in elements.
struct BroadcastLoop {
  int rank = 0;
  std::int64_t extent[12], stride_a[12], stride_b[12];
  std::size_t inner = 1;
  int mode = 0;
  BroadcastLoop(const Shape& a, const Shape& b, const Shape& y) noexcept;
  template <class Body>
  void each(Body&& body) const noexcept {
    std::int64_t index[12] = {};
    std::int64_t a = 0, b = 0, y = 0, blocks = 1;
    for (int i = 0; i < rank; ++i) blocks *= extent[i];
    for (std::int64_t block = 0; block < blocks; ++block) {
      body(a, b, y);
      y += static_cast<std::int64_t>(inner);
      for (int i = rank - 1; i >= 0; --i) {
        a += stride_a[i];
        b += stride_b[i];
        if (++index[i] < extent[i]) break;
        a -= stride_a[i] * extent[i];
        b -= stride_b[i] * extent[i];
        index[i] = 0;
      }
    }
  }
};

// ---- moving elements
// -----------------------------------------------------------------------------------------------------

// Copies x, of `rank` axes of these sizes and strides (in elements of `item` bytes), to the contiguous y.
void copy_strided(const Step& step, const void* x, void* y, int rank, const std::int64_t* shape,
                  const std::int64_t* strides, std::size_t item) noexcept;
// Copies x, broadcast to `shape`, to the contiguous y.
void copy_broadcast(const Step& step, const View& x, const Shape& shape, std::size_t item, void* y) noexcept;
// An output filled with one number.
void prepare_fill(Preparation& p, const char* who, double value);

// ---- emission: each is defined in the file of its op
// ------------------------------------------------------------------------

namespace emit {
Value add(Emitter& e, const Value& a, const Value& b);
Value subtract(Emitter& e, const Value& a, const Value& b);
Value multiply(Emitter& e, const Value& a, const Value& b);
Value divide(Emitter& e, const Value& a, const Value& b);
Value power(Emitter& e, const Value& a, const Value& b);
Value floordiv(Emitter& e, const Value& a, const Value& b);
Value negative(Emitter& e, const Value& x);
Value affine(Emitter& e, const Value& x, double scale, double shift = 0);  // scale * x + shift
Value square(Emitter& e, const Value& x);
Value sqrt(Emitter& e, const Value& x);
Value rsqrt(Emitter& e, const Value& x);
Value exp(Emitter& e, const Value& x);
Value log(Emitter& e, const Value& x);
Value sigmoid(Emitter& e, const Value& x);
Value tanh(Emitter& e, const Value& x);
Value sin(Emitter& e, const Value& x);
Value cos(Emitter& e, const Value& x);
Value sign(Emitter& e, const Value& x);
Value reciprocal(Emitter& e, const Value& x);
Value identity(Emitter& e, const Value& x);
Value softmax(Emitter& e, const Value& x, std::int64_t axis = -1);
Value softmax_grad(Emitter& e, const Value& dy, const Value& y, std::int64_t axis = -1);
Value log_softmax(Emitter& e, const Value& x, std::int64_t axis = -1);
Value cast(Emitter& e, const Value& x, DType dtype);
Value zeros_like(Emitter& e, const Value& x);
Value ones_like(Emitter& e, const Value& x);
Value less(Emitter& e, const Value& a, const Value& b);
Value less_equal(Emitter& e, const Value& a, const Value& b);
Value equal(Emitter& e, const Value& a, const Value& b);
Value greater(Emitter& e, const Value& a, const Value& b);
Value greater_equal(Emitter& e, const Value& a, const Value& b);
Value where(Emitter& e, const Value& condition, const Value& a, const Value& b);
Value reshape(Emitter& e, const Value& x, Shape shape);
Value transpose(Emitter& e, const Value& x, const Ints& perm);
Value broadcast_to(Emitter& e, const Value& x, Shape shape);
Value reduce_sum(Emitter& e, const Value& x, const Ints& axes, bool keepdims);
Value reduce_mean(Emitter& e, const Value& x, const Ints& axes, bool keepdims);
Value reduce_mean_grad(Emitter& e, const Value& g, const Value& x);  // g / count, spread over x's shape
Value concat(Emitter& e, Values xs, std::int64_t axis);
Value slice_axis(Emitter& e, const Value& x, std::int64_t axis, std::int64_t begin, std::int64_t end);
Value matmul(Emitter& e, const Value& a, const Value& b, bool transpose_a, bool transpose_b);
// {dw, db} of a dense layer, from its inputs and the gradient of its results.
Values dense_weight_grad(Emitter& e, const Value& x, const Value& g, bool transpose_w);
Value gather(Emitter& e, const Value& x, const Value& indices, std::int64_t axis, bool zeros = false);

// Gradients of activations: by their output y, or by their input x.
Value relu_grad(Emitter& e, const Value& dy, const Value& y);
Value leaky_relu_grad(Emitter& e, const Value& dy, const Value& y, double alpha);
Value elu_grad(Emitter& e, const Value& dy, const Value& y, double alpha);
Value selu_grad(Emitter& e, const Value& dy, const Value& y);
Value sigmoid_grad(Emitter& e, const Value& dy, const Value& y);
Value tanh_grad(Emitter& e, const Value& dy, const Value& y);
Value hard_sigmoid_grad(Emitter& e, const Value& dy, const Value& x);
Value softplus_grad(Emitter& e, const Value& dy, const Value& x);
Value softsign_grad(Emitter& e, const Value& dy, const Value& x);
Value silu_grad(Emitter& e, const Value& dy, const Value& x);
Value mish_grad(Emitter& e, const Value& dy, const Value& x);
Value gelu_grad(Emitter& e, const Value& dy, const Value& x, bool approximate);

// Compositions (op_util.cpp).
// Sums `g` over the axes along which `like` was broadcast: the gradient of broadcasting.
Value sum_to(Emitter& e, const Value& g, const Value& like);
// g with the reduced axes put back as ones.
Value restore_axes(Emitter& e, const Value& g, const Shape& full, const SmallVector<std::size_t, 6>& axes);
inline Value scalar_like(const Value& x, double v) {
  return Value(Tensor::scalar(v, x.dtype()));
}
}  // namespace emit

}  // namespace layernet
