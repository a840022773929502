// The gemm_bf16 family for one instruction set.
#define LN_FAMILY gemm_bf16
#define LN_FAMILY_gemm_bf16
#include "gemm_small.inl.h"
#if defined(__AMX_BF16__)
#include "gemm_bf16_amx.inl.h"
#endif

LN_BEGIN_TARGET

// bfloat16 weights widened in registers.
struct WideningBf16 {
  static size_t bytes(size_t k, size_t n) noexcept { return small_b_bytes<uint16_t>(k, n); }
  static void pack(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
    pack_small(b, rsb, csb, k, n, static_cast<uint16_t*>(packed), [](float w, size_t) { return to_bf16(w); });
  }
  static void columns(const GemmArgs& g, size_t first, size_t count) noexcept {
    small_columns<uint16_t>(g, first, count);
  }
};

#if defined(__AMX_BF16__)
#define LN_BF16_PRODUCT(k, n, call) (AmxProduct::serves(k, n) ? AmxProduct::call : WideningBf16::call)
#else
#define LN_BF16_PRODUCT(k, n, call) WideningBf16::call
#endif

size_t pack_b_bytes_bf16(size_t k, size_t n) noexcept {
  return LN_BF16_PRODUCT(k, n, bytes(k, n));
}
void pack_b_bf16(const float* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
  LN_BF16_PRODUCT(k, n, pack(b, rsb, csb, k, n, packed));
}
void gemm_packed_bf16(const GemmArgs* g) noexcept {
  LN_BF16_PRODUCT(g->k, g->n, columns(*g, 0, g->n));
}
void gemm_packed_columns_bf16(const GemmArgs* g, size_t first, size_t columns) noexcept {
  LN_BF16_PRODUCT(g->k, g->n, columns(*g, first, columns));
}
#undef LN_BF16_PRODUCT

LN_END_TARGET

#include "fill.inl.h"
