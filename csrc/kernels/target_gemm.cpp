// The gemm family for one instruction set.
#define LN_FAMILY gemm
#define LN_FAMILY_gemm
#include "gemm.inl.h"

LN_BEGIN_TARGET

#define LN_GEMM_KERNELS(suffix, T)                                                                      \
  void gemm_##suffix(const GemmArgs* g) noexcept {                                                      \
    gemm<T>(g);                                                                                         \
  }                                                                                                     \
  size_t gemm_workspace_##suffix(size_t, size_t n, size_t k) noexcept {                                 \
    return gemm_workspace<T>(n, k);                                                                     \
  }                                                                                                     \
  size_t pack_b_bytes_##suffix(size_t k, size_t n) noexcept {                                           \
    return pack_b_bytes<T>(k, n);                                                                       \
  }                                                                                                     \
  void pack_b_##suffix(const T* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept { \
    pack_b(b, rsb, csb, k, n, packed);                                                                  \
  }                                                                                                     \
  void gemm_packed_##suffix(const GemmArgs* g) noexcept {                                               \
    packed_columns<T>(*g, 0, g->n);                                                                     \
  }                                                                                                     \
  size_t gemm_panel_##suffix(size_t n) noexcept {                                                       \
    return PackedLayout<T>::width(n);                                                                   \
  }                                                                                                     \
  void gemm_packed_columns_##suffix(const GemmArgs* g, size_t first, size_t columns) noexcept {         \
    packed_columns<T>(*g, first, columns);                                                              \
  }
LN_GEMM_KERNELS(f32, float)
LN_GEMM_KERNELS(f64, double)
#undef LN_GEMM_KERNELS

LN_END_TARGET

#include "fill.inl.h"
