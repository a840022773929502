// The gemm_small family for one instruction set.
#define LN_FAMILY gemm_small
#define LN_FAMILY_gemm_small
#include "gemm_small.inl.h"

LN_BEGIN_TARGET

#define LN_SMALL_KERNELS(suffix, W)                                                             \
  size_t pack_b_bytes_##suffix(size_t k, size_t n) noexcept {                                   \
    return small_b_bytes<W>(k, n);                                                              \
  }                                                                                             \
  void gemm_packed_##suffix(const GemmArgs* g) noexcept {                                       \
    small_columns<W>(*g, 0, g->n);                                                              \
  }                                                                                             \
  void gemm_packed_columns_##suffix(const GemmArgs* g, size_t first, size_t columns) noexcept { \
    small_columns<W>(*g, first, columns);                                                       \
  }
LN_SMALL_KERNELS(bf16, uint16_t)
LN_SMALL_KERNELS(i8, int8_t)
#undef LN_SMALL_KERNELS

LN_END_TARGET

#include "fill.inl.h"
