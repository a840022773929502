// The gemm_amx family, which AMX alone has.
#define LN_FAMILY gemm_amx
#define LN_FAMILY_gemm_amx
#include "gemm_amx.inl.h"

LN_BEGIN_TARGET

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

LN_END_TARGET

#include "fill.inl.h"
