// The gemm_dot family, which AVX-512 VNNI alone has. Products of a short k go to the kernels of AVX-512.
#define LN_FAMILY gemm_dot
#define LN_FAMILY_gemm_dot
#include "gemm_dot.inl.h"

LN_BEGIN_TARGET

const KernelTable& widening() noexcept {
  static const KernelTable* const table = table_for("avx512");
  return *table;
}

size_t pack_b_bytes_i8(size_t k, size_t n) noexcept {
  return k >= kDotLeastK ? DotProduct::bytes(k, n) : widening().pack_b_bytes_i8(k, n);
}
void pack_b_i8(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
  (k >= kDotLeastK ? DotProduct::pack : widening().pack_b_i8)(b, rsb, csb, k, n, packed);
}
void gemm_packed_columns_i8(const GemmArgs* g, size_t first, size_t columns) noexcept {
  g->k >= kDotLeastK ? DotProduct::columns(*g, first, columns) : widening().gemm_packed_columns_i8(g, first, columns);
}
void gemm_packed_i8(const GemmArgs* g) noexcept {
  gemm_packed_columns_i8(g, 0, g->n);
}

LN_END_TARGET

#include "fill.inl.h"
