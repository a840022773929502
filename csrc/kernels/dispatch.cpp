// CPU detection and the choice of a kernel table. Compiled with the platform's baseline flags and without LTO, so that
// nothing in it needs an instruction set that it has not yet checked. See simdjson: doc/implementation-selection.md.
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace layernet {
namespace kernels {

#if defined(__x86_64__)
#define LN_FOR_EACH_ISA(F) F(amx) F(avx512vnni) F(avx512) F(avx2) F(scalar)
#elif defined(__aarch64__)
#define LN_FOR_EACH_ISA(F) F(neon) F(scalar)
#else
#define LN_FOR_EACH_ISA(F) F(scalar)
#endif

#define LN_FAMILY(family) void fill_##family##_scalar(KernelTable*) noexcept;
#include "families.def"
#undef LN_FAMILY
#if defined(__x86_64__)
#define LN_FAMILY(family)                           \
  void fill_##family##_avx2(KernelTable*) noexcept; \
  void fill_##family##_avx512(KernelTable*) noexcept;
#include "families.def"
#undef LN_FAMILY
void fill_gemm_dot_avx512vnni(KernelTable*) noexcept;
void fill_gemm_amx_amx(KernelTable*) noexcept;
#elif defined(__aarch64__)
#define LN_FAMILY(family) void fill_##family##_neon(KernelTable*) noexcept;
#include "families.def"
#undef LN_FAMILY
#endif

namespace {

bool cpu_has_scalar() {
  return true;
}

#if defined(__aarch64__)
bool cpu_has_neon() {
  return true;
}  // part of the base architecture
#endif

#if defined(__x86_64__)
struct X86 {
  bool avx2 = false, avx512 = false, avx512vnni = false, amx = false;
  X86() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    const bool fma = c >> 12 & 1, osxsave = c >> 27 & 1, avx = c >> 28 & 1, f16c = c >> 29 & 1;
    if (!osxsave || !avx) return;
    // xgetbv: does the operating system save the SSE and AVX (bits 1, 2) and AVX-512 (5, 6, 7) registers?
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    const bool saves_avx = (low & 0x6) == 0x6, saves_avx512 = (low & 0xe6) == 0xe6;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    const bool has_avx2 = b >> 5 & 1, bmi2 = b >> 8 & 1;
    const bool f = b >> 16 & 1, dq = b >> 17 & 1, bw = b >> 30 & 1, vl = b >> 31 & 1;
    avx2 = saves_avx && has_avx2 && fma && f16c && bmi2;
    avx512 = avx2 && saves_avx512 && f && dq && bw && vl;
    avx512vnni = avx512 && (c >> 11 & 1);
    const bool saves_tiles = (low & 0x60000) == 0x60000, amx_bf16 = d >> 22 & 1, amx_tile = d >> 24 & 1,
               amx_int8 = d >> 25 & 1;
    amx = avx512vnni && saves_tiles && amx_tile && amx_bf16 && amx_int8;
  }
};
const X86& x86() {
  static const X86 features;
  return features;
}
bool cpu_has_avx2() {
  return x86().avx2;
}
bool cpu_has_avx512() {
  return x86().avx512;
}
bool cpu_has_avx512vnni() {
  return x86().avx512vnni;
}
// A process must ask Linux for the tile registers, which make its signal frames 8 KB larger.
bool cpu_has_amx() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const bool granted = x86().amx && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return granted;
#else
  return false;
#endif
}
#endif

#define LN_DEFINE_TABLE(isa_name)              \
  const KernelTable* table_##isa_name() {      \
    if (!cpu_has_##isa_name()) return nullptr; \
    static const KernelTable table = [] {      \
      KernelTable t{};                         \
      t.isa = #isa_name;                       \
      fill_##isa_name(&t);                     \
      return t;                                \
    }();                                       \
    return &table;                             \
  }

#define LN_FAMILY(family) fill_##family##_scalar(table);
void fill_scalar(KernelTable* table) {
#include "families.def"
}
#undef LN_FAMILY
LN_DEFINE_TABLE(scalar)

#if defined(__x86_64__)
#define LN_FAMILY(family) fill_##family##_avx2(table);
void fill_avx2(KernelTable* table) {
#include "families.def"
}
#undef LN_FAMILY
LN_DEFINE_TABLE(avx2)
#define LN_FAMILY(family) fill_##family##_avx512(table);
void fill_avx512(KernelTable* table) {
#include "families.def"
}
#undef LN_FAMILY
LN_DEFINE_TABLE(avx512)
// AVX-512 with other products of int8 weights.
void fill_avx512vnni(KernelTable* table) {
  fill_avx512(table);
  fill_gemm_dot_avx512vnni(table);
}
LN_DEFINE_TABLE(avx512vnni)
void fill_amx(KernelTable* table) {
  fill_avx512vnni(table);
  fill_gemm_amx_amx(table);
}
LN_DEFINE_TABLE(amx)
#elif defined(__aarch64__)
#define LN_FAMILY(family) fill_##family##_neon(table);
void fill_neon(KernelTable* table) {
#include "families.def"
}
#undef LN_FAMILY
LN_DEFINE_TABLE(neon)
#endif

const KernelTable* best_table() {
#define LN_TRY(isa_name) \
  if (const KernelTable* t = table_##isa_name()) return t;
  LN_FOR_EACH_ISA(LN_TRY)
#undef LN_TRY
  return nullptr;
}

struct Choice {
  const KernelTable* table;
  const char* error = nullptr;
  Choice() {
    const char* wanted = getenv("LAYERNET_ISA");
    if (wanted != nullptr && *wanted != '\0') {
      table = table_for(wanted);
      if (table != nullptr) return;
      error = "names an instruction set that is not built";
      for (const char* const* isa = isas_built(); *isa != nullptr; ++isa)
        if (strcmp(*isa, wanted) == 0) error = "names an instruction set that this CPU does not support";
    }
    table = best_table();
  }
};
const Choice& choice() {
  static const Choice the_choice;
  return the_choice;
}

}  // namespace

const KernelTable& active_kernels() noexcept {
  return *choice().table;
}

const char* isa_error() noexcept {
  return choice().error;
}

const KernelTable* table_for(const char* isa) noexcept {
#define LN_TRY(isa_name) \
  if (strcmp(isa, #isa_name) == 0) return table_##isa_name();
  LN_FOR_EACH_ISA(LN_TRY)
#undef LN_TRY
  return nullptr;
}

const char* const* isas_built() noexcept {
#define LN_NAME(isa_name) #isa_name,
  static const char* const names[] = {LN_FOR_EACH_ISA(LN_NAME) nullptr};
#undef LN_NAME
  return names;
}

const char* const* isas_supported() noexcept {
  struct Names {
    const char* list[8] = {};
    Names() {
      int n = 0;
#define LN_NAME(isa_name) \
  if (cpu_has_##isa_name()) list[n++] = #isa_name;
      LN_FOR_EACH_ISA(LN_NAME)
#undef LN_NAME
    }
  };
  static const Names names;
  return names.list;
}

}  // namespace kernels
}  // namespace layernet
