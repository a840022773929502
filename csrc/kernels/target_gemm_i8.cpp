// The gemm_i8 family for one instruction set.
#define LN_FAMILY gemm_i8
#define LN_FAMILY_gemm_i8
#include "gemm_small.inl.h"

LN_BEGIN_TARGET

size_t pack_b_bytes_i8(size_t k, size_t n) noexcept {
  return WideningProduct::bytes(k, n);
}
void pack_b_i8(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
  WideningProduct::pack(b, rsb, csb, k, n, packed);
}
void gemm_packed_i8(const GemmArgs* g) noexcept {
  WideningProduct::columns(*g, 0, g->n);
}
void gemm_packed_columns_i8(const GemmArgs* g, size_t first, size_t columns) noexcept {
  WideningProduct::columns(*g, first, columns);
}

LN_END_TARGET

#include "fill.inl.h"
