// The gemm_bf16 family for one instruction set.
#define LN_FAMILY gemm_bf16
#define LN_FAMILY_gemm_bf16
#include "gemm_small.inl.h"

LN_BEGIN_TARGET

size_t pack_b_bytes_bf16(size_t k, size_t n) noexcept {
  return small_b_bytes<uint16_t>(k, n);
}
void pack_b_bf16(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
  pack_small(b, rsb, csb, k, n, static_cast<uint16_t*>(packed), [](float w, size_t) { return to_bf16(w); });
}
void gemm_packed_bf16(const GemmArgs* g) noexcept {
  small_columns<uint16_t>(*g, 0, g->n);
}
void gemm_packed_columns_bf16(const GemmArgs* g, size_t first, size_t columns) noexcept {
  small_columns<uint16_t>(*g, first, columns);
}

LN_END_TARGET

#include "fill.inl.h"
