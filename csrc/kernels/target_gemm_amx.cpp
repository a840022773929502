// The gemm_amx family, which AMX alone has. Products that it does not serve go to the kernels of AVX-512 VNNI.
#define LN_FAMILY gemm_amx
#define LN_FAMILY_gemm_amx
#include "gemm_amx.inl.h"
#include "gemm_bf16_amx.inl.h"
#include "gemm_i8_amx.inl.h"

LN_BEGIN_TARGET

const KernelTable& vectors() noexcept {
  static const KernelTable* const table = table_for("avx512vnni");
  return *table;
}

size_t gemm_amx_workspace(size_t m) noexcept {
  return m <= kAmxFewRows ? 0 : amx_room(padded_rows(m < kAmxM ? m : kAmxM));
}
void gemm_amx(const GemmArgs* g) noexcept {
  amx_product(*g, {static_cast<const float*>(g->b), g->rsb, g->csb, g->k, g->n, false}, 0, g->n);
}
void gemm_packed_columns_amx(const GemmArgs* g, size_t first, size_t columns) noexcept {
  amx_product(*g, {static_cast<const float*>(g->b), 0, 0, g->k, g->n, true}, first, columns);
}
void gemm_packed_amx(const GemmArgs* g) noexcept {
  gemm_packed_columns_amx(g, 0, g->n);
}

size_t pack_b_bytes_bf16(size_t k, size_t n) noexcept {
  return AmxProduct::serves(k, n) ? AmxProduct::bytes(k, n) : vectors().pack_b_bytes_bf16(k, n);
}
void pack_b_bf16(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
  (AmxProduct::serves(k, n) ? AmxProduct::pack : vectors().pack_b_bf16)(b, rsb, csb, k, n, packed);
}
void gemm_packed_columns_bf16(const GemmArgs* g, size_t first, size_t columns) noexcept {
  AmxProduct::serves(g->k, g->n) ? AmxProduct::columns(*g, first, columns)
                                 : vectors().gemm_packed_columns_bf16(g, first, columns);
}
void gemm_packed_bf16(const GemmArgs* g) noexcept {
  gemm_packed_columns_bf16(g, 0, g->n);
}

void gemm_packed_columns_i8(const GemmArgs* g, size_t first, size_t columns) noexcept {
  g->k >= kDotLeastK && g->m >= kDotAmxLeast ? dot_amx_columns(*g, first, columns)
                                             : vectors().gemm_packed_columns_i8(g, first, columns);
}
void gemm_packed_i8(const GemmArgs* g) noexcept {
  gemm_packed_columns_i8(g, 0, g->n);
}

LN_END_TARGET

#include "fill.inl.h"
