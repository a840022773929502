// The gemm_i8 family for one instruction set.
#define LN_FAMILY gemm_i8
#define LN_FAMILY_gemm_i8
#include "gemm_small.inl.h"
#if defined(__AVX512VNNI__)
#include "gemm_dot.inl.h"
#endif

LN_BEGIN_TARGET

#if defined(__AVX512VNNI__)
#define LN_INT8_PRODUCT(k, call) ((k) >= kDotLeastK ? DotProduct::call : WideningProduct::call)
#else
#define LN_INT8_PRODUCT(k, call) WideningProduct::call
#endif

size_t pack_b_bytes_i8(size_t k, size_t n) noexcept {
  return LN_INT8_PRODUCT(k, bytes(k, n));
}
void pack_b_i8(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
  LN_INT8_PRODUCT(k, pack(b, rsb, csb, k, n, packed));
}
void gemm_packed_i8(const GemmArgs* g) noexcept {
  LN_INT8_PRODUCT(g->k, columns(*g, 0, g->n));
}
void gemm_packed_columns_i8(const GemmArgs* g, size_t first, size_t columns) noexcept {
  LN_INT8_PRODUCT(g->k, columns(*g, first, columns));
}
#undef LN_INT8_PRODUCT

LN_END_TARGET

#include "fill.inl.h"
