// Argument structs of the kernels that take more than a few numbers: matrix product, windows.
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
// With a gate, C = (A B + bias) f'(gate) instead, f' being the derivative of the activation as the grad kernels take
// it.
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
  const void* gate;  // laid out like C, or null
  int accumulate;
  void* workspace;  // gemm: gemm_workspace(m, n, k) bytes, 64-byte aligned; gemm_packed: not used, may be null
};

// x [n, in.., c] under windows of window.. elements that lie dilation.. apart, stride.. from window to window; out.. is
// the number of windows along each of three axes. Fewer axes are the last ones, the others have size, steps and out 1.
// pad.. elements come before the first, those at the end are what out implies. For convolution the padding is 0; for
// pooling it takes no part: a window of padding only gives -inf (max) or 0.
struct WindowDims {
  size_t n, c;
  size_t in[3], window[3], stride[3], dilation[3], pad[3], out[3];
};

}  // namespace layernet::kernels
