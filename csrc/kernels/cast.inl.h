// Conversions between all dtypes. Loops over plain types are left to the compiler; 16-bit floats pass through a block
// of floats, exactly on the way in and rounded once on the way out.
#pragma once

#include "elementwise.inl.h"
#include "simd/half.h"

LN_BEGIN_TARGET

enum DType { kF32, kF64, kF16, kBF16, kI8, kU8, kI32, kI64, kBool };

struct Bool {
  uint8_t byte;
};

// Floats to integers: towards zero, the nearest limit beyond the range, NaN to 0.
template <class To, class From>
LN_INLINE To saturate(From x) {
  constexpr bool is_signed = To(-1) < To(0);
  constexpr int bits = static_cast<int>(sizeof(To)) * 8 - (is_signed ? 1 : 0);
  constexpr To highest = is_signed ? static_cast<To>(~(uint64_t{1} << (sizeof(To) * 8 - 1))) : static_cast<To>(-1);
  constexpr To lowest = is_signed ? static_cast<To>(-highest - 1) : To(0);
  constexpr From end = static_cast<From>(uint64_t{1} << (bits - 1)) * From(2);  // a power of two, so exact
  if (x >= end) return highest;
  if (x <= (is_signed ? -end : From(0))) return lowest;
  return x == x ? static_cast<To>(x) : To(0);
}

template <class To, class From>
struct Convert {
  static LN_INLINE To apply(From x) { return static_cast<To>(x); }
};
#define LN_DEFINE_SATURATING(To)          \
  template <>                             \
  struct Convert<To, float> {             \
    static LN_INLINE To apply(float x) {  \
      return saturate<To>(x);             \
    }                                     \
  };                                      \
  template <>                             \
  struct Convert<To, double> {            \
    static LN_INLINE To apply(double x) { \
      return saturate<To>(x);             \
    }                                     \
  };
LN_DEFINE_SATURATING(int8_t)
LN_DEFINE_SATURATING(uint8_t)
LN_DEFINE_SATURATING(int32_t)
LN_DEFINE_SATURATING(int64_t)
#undef LN_DEFINE_SATURATING
template <class To>
struct Convert<To, Bool> {
  static LN_INLINE To apply(Bool x) { return static_cast<To>(x.byte != 0); }
};
template <class From>
struct Convert<Bool, From> {
  static LN_INLINE Bool apply(From x) { return {static_cast<uint8_t>(x != From(0))}; }
};
template <>
struct Convert<Bool, Bool> {
  static LN_INLINE Bool apply(Bool x) { return {static_cast<uint8_t>(x.byte != 0)}; }
};

// A cast in place happens only between types of one size, where element i depends on element i alone.
template <class From, class To>
LN_INLINE void cast_loop(const From* x, To* y, size_t n) {
  LN_INDEPENDENT
  for (size_t i = 0; i < n; ++i) y[i] = Convert<To, From>::apply(x[i]);
}

constexpr size_t kCastBlock = 256;

// Reads 16-bit floats.
LN_INLINE void widen_block(const uint16_t* x, float* y, size_t n, bool is_half) {
  constexpr size_t size = Vec<float>::size;
  size_t i = 0;
  if (is_half) {
    for (; i + size <= n; i += size) load_f16(x + i).store(y + i);
    for (; i < n; ++i) y[i] = half_to_float(x[i]);
  } else {
    for (; i + size <= n; i += size) load_bf16(x + i).store(y + i);
    for (; i < n; ++i) y[i] = bfloat_to_float(x[i]);
  }
}
LN_INLINE void narrow_block(const float* x, uint16_t* y, size_t n, bool is_half) {
  constexpr size_t size = Vec<float>::size;
  size_t i = 0;
  if (is_half) {
    for (; i + size <= n; i += size) store_f16(Vec<float>::load(x + i), y + i);
    for (; i < n; ++i) y[i] = float_to_half(x[i]);
  } else {
    LN_INDEPENDENT
    for (i = 0; i < n; ++i) y[i] = float_to_bfloat(x[i]);
  }
}
template <class From>
LN_INLINE float before_narrowing(From x) {
  return Convert<float, From>::apply(x);
}
template <>
LN_INLINE float before_narrowing(double x) {
  return round_to_odd(x);
}
template <>
LN_INLINE float before_narrowing(int32_t x) {
  return round_to_odd(x);
}
template <>
LN_INLINE float before_narrowing(int64_t x) {
  return round_to_odd(x);
}
template <class From>
inline void cast_to_16(const From* x, uint16_t* y, size_t n, bool is_half) {
  float block[kCastBlock];
  for (size_t i = 0; i < n; i += kCastBlock) {
    const size_t count = n - i < kCastBlock ? n - i : kCastBlock;
    for (size_t j = 0; j < count; ++j) block[j] = before_narrowing(x[i + j]);
    narrow_block(block, y + i, count, is_half);
  }
}
template <class To>
inline void cast_from_16(const uint16_t* x, bool is_half, To* y, size_t n) {
  float block[kCastBlock];
  for (size_t i = 0; i < n; i += kCastBlock) {
    const size_t count = n - i < kCastBlock ? n - i : kCastBlock;
    widen_block(x + i, block, count, is_half);
    cast_loop(block, y + i, count);
  }
}

template <class From>
inline void cast_from(const From* x, void* y, int to, size_t n) {
  switch (to) {
    case kF32:
      return cast_loop(x, static_cast<float*>(y), n);
    case kF64:
      return cast_loop(x, static_cast<double*>(y), n);
    case kF16:
      return cast_to_16(x, static_cast<uint16_t*>(y), n, true);
    case kBF16:
      return cast_to_16(x, static_cast<uint16_t*>(y), n, false);
    case kI8:
      return cast_loop(x, static_cast<int8_t*>(y), n);
    case kU8:
      return cast_loop(x, static_cast<uint8_t*>(y), n);
    case kI32:
      return cast_loop(x, static_cast<int32_t*>(y), n);
    case kI64:
      return cast_loop(x, static_cast<int64_t*>(y), n);
    case kBool:
      return cast_loop(x, static_cast<Bool*>(y), n);
  }
}
inline void cast_from_half(const uint16_t* x, bool is_half, void* y, int to, size_t n) {
  switch (to) {
    case kF32:
      return widen_block(x, static_cast<float*>(y), n, is_half);
    case kF64:
      return cast_from_16(x, is_half, static_cast<double*>(y), n);
    case kF16:
    case kBF16: {
      uint16_t* out = static_cast<uint16_t*>(y);
      if ((to == kF16) == is_half) {
        if (n > 0) memmove(out, x, 2 * n);
        return;
      }
      float block[kCastBlock];
      for (size_t i = 0; i < n; i += kCastBlock) {
        const size_t count = n - i < kCastBlock ? n - i : kCastBlock;
        widen_block(x + i, block, count, is_half);
        narrow_block(block, out + i, count, !is_half);
      }
      return;
    }
    case kI8:
      return cast_from_16(x, is_half, static_cast<int8_t*>(y), n);
    case kU8:
      return cast_from_16(x, is_half, static_cast<uint8_t*>(y), n);
    case kI32:
      return cast_from_16(x, is_half, static_cast<int32_t*>(y), n);
    case kI64:
      return cast_from_16(x, is_half, static_cast<int64_t*>(y), n);
    case kBool:
      return cast_from_16(x, is_half, static_cast<Bool*>(y), n);
  }
}
inline void cast(const void* x, int from, void* y, int to, size_t n) noexcept {
  switch (from) {
    case kF32:
      if (to == kF16 || to == kBF16)
        return narrow_block(static_cast<const float*>(x), static_cast<uint16_t*>(y), n, to == kF16);
      return cast_from(static_cast<const float*>(x), y, to, n);
    case kF64:
      return cast_from(static_cast<const double*>(x), y, to, n);
    case kF16:
    case kBF16:
      return cast_from_half(static_cast<const uint16_t*>(x), from == kF16, y, to, n);
    case kI8:
      return cast_from(static_cast<const int8_t*>(x), y, to, n);
    case kU8:
      return cast_from(static_cast<const uint8_t*>(x), y, to, n);
    case kI32:
      return cast_from(static_cast<const int32_t*>(x), y, to, n);
    case kI64:
      return cast_from(static_cast<const int64_t*>(x), y, to, n);
    case kBool:
      return cast_from(static_cast<const Bool*>(x), y, to, n);
  }
}

LN_END_TARGET
