// Argument structs of the kernels that take more than a few numbers: matrix product, convolution, pooling.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace layernet::kernels {

// Activations a matrix product can apply to its result. Their bits equal those of the unary kernel of the same name.
enum Activation : int {
  kActNone = 0,
  kActRelu = 1,
  kActTanh = 2,
  kActSigmoid = 3,
  kActElu = 4,  // act_params[0] = alpha
  kActSelu = 5,
  kActSoftplus = 6,
  kActSoftsign = 7,
  kActHardSigmoid = 8,
  kActGelu = 9,
  kActGeluTanh = 10,
  kActSilu = 11,
  kActMish = 12,
  kActLeakyRelu = 13,  // act_params[0] = slope below 0
  kActCount = 14
};

// C[m, n] = activation(A[m, k] B[k, n] + bias[n]), or C += ... before the activation when accumulate is set.
// Strides count elements and may be anything, so a transposed operand is a matter of strides; C is row-major.
// C overlaps neither operand nor bias. act_params may be null for activations without parameters.
struct GemmArgs {
  size_t m, n, k;
  const void* a;
  size_t rsa, csa;  // A[i, p] = a[i * rsa + p * csa]
  const void* b;    // gemm_packed: what pack_b wrote; rsb and csb are then ignored
  size_t rsb, csb;  // B[p, j] = b[p * rsb + j * csb]
  void* c;
  size_t ldc;
  const void* bias;  // n elements or null
  int activation;
  const double* act_params;
  int accumulate;
  void* workspace;  // gemm: gemm_workspace(m, n, k) bytes, 64-byte aligned; gemm_packed: not used, may be null
};

// x [n, h, w, c] seen by a kernel window of [kh, kw]; y has [n, oh, ow] positions. Padding at the bottom and right is
// what oh and ow imply.
struct ConvDims {
  size_t n, h, w, c;
  size_t kh, kw;
  size_t stride_h, stride_w;
  size_t dilation_h, dilation_w;
  size_t pad_top, pad_left;
  size_t oh, ow;
};

// As ConvDims, without dilation. Elements of the padding take no part: a window of padding only gives -inf (max) or 0.
struct PoolDims {
  size_t n, h, w, c;
  size_t kh, kw;
  size_t stride_h, stride_w;
  size_t pad_top, pad_left;
  size_t oh, ow;
};

}  // namespace layernet::kernels
