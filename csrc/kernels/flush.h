// FlushDenormals: while one lives, the calling thread reads and writes denormals as 0 (x86: FTZ and DAZ, Arm: FZ).
//
// Where the mode is switched: inside the matrix product itself, once before the first multiplication and once before an
// activation that could be sensitive to it, so no caller has to think of it, and a caller's own mode is put back at the
// end. An activation therefore runs as a second pass over the rows just written (still in L1 or L2) with the very
// kernel that a separate op would call; relu alone is folded into the product, as it maps no number to a denormal. Cost
// on Zen 4: 6 ns for reading the mode, 2 ns for each write; a write is left out when the mode is right already.
#pragma once

#include <stdint.h>

// Always inlined, so that no instruction set's copy can stand in for another's at link time.
#define LN_MODE_INLINE inline __attribute__((always_inline))

namespace layernet::kernels {

#if defined(__x86_64__) || defined(__i386__)
using FloatMode = uint32_t;
constexpr FloatMode kFlushBits = 0x8040;  // FTZ, DAZ
LN_MODE_INLINE FloatMode get_float_mode() noexcept {
  FloatMode mode;
  __asm__ volatile("stmxcsr %0" : "=m"(mode) : : "memory");
  return mode;
}
LN_MODE_INLINE void set_float_mode(FloatMode mode) noexcept {
  __asm__ volatile("ldmxcsr %0" : : "m"(mode) : "memory");
}
#elif defined(__aarch64__)
using FloatMode = uint64_t;
constexpr FloatMode kFlushBits = uint64_t{1} << 24;  // FZ
LN_MODE_INLINE FloatMode get_float_mode() noexcept {
  FloatMode mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode) : : "memory");
  return mode;
}
LN_MODE_INLINE void set_float_mode(FloatMode mode) noexcept {
  __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory");
}
#else
using FloatMode = uint32_t;
constexpr FloatMode kFlushBits = 0;
LN_MODE_INLINE FloatMode get_float_mode() noexcept {
  return 0;
}
LN_MODE_INLINE void set_float_mode(FloatMode) noexcept {}
#endif

class FlushDenormals {
 public:
  LN_MODE_INLINE FlushDenormals() noexcept : caller_(get_float_mode()), flushing_(true) {
    if ((caller_ & kFlushBits) != kFlushBits) set_float_mode(caller_ | kFlushBits);
  }
  LN_MODE_INLINE ~FlushDenormals() {
    const FloatMode now = flushing_ ? caller_ | kFlushBits : caller_ & ~kFlushBits;
    if (now != caller_) set_float_mode(caller_);
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

  // Denormals count again until flush() or the end of the scope.
  LN_MODE_INLINE void keep() noexcept {
    flushing_ = false;
    set_float_mode(caller_ & ~kFlushBits);
  }
  LN_MODE_INLINE void flush() noexcept {
    flushing_ = true;
    set_float_mode(caller_ | kFlushBits);
  }

 private:
  FloatMode caller_;
  bool flushing_;
};

}  // namespace layernet::kernels

#undef LN_MODE_INLINE
