// 16-bit floats in plain integer arithmetic, for numbers one at a time and for CPUs without conversion instructions.
#pragma once

#include "target.h"

LN_BEGIN_TARGET

// IEEE half to float: the exponent and mantissa are shifted into place and rescaled by a multiplication, which also
// makes denormal halves right; infinities and NaNs are repaired afterwards.
LN_INLINE float half_to_float(uint16_t h) {
  const uint32_t magnitude = static_cast<uint32_t>(h & 0x7fff) << 13;
  float f;
  memcpy(&f, &magnitude, 4);
  f *= 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &f, 4);
  if ((h & 0x7c00) == 0x7c00) bits = 0x7f800000u | magnitude | ((h & 0x3ff) ? 0x400000u : 0u);
  bits |= static_cast<uint32_t>(h & 0x8000) << 16;
  memcpy(&f, &bits, 4);
  return f;
}
// Float to half, round to nearest even. Halves below 2^-14 are rounded by adding 0.5, whose last mantissa bit is
// worth 2^-24, the smallest half.
LN_INLINE uint16_t float_to_half(float f) {
  uint32_t bits;
  memcpy(&bits, &f, 4);
  const uint32_t sign = bits >> 31 << 15;
  bits &= 0x7fffffffu;
  uint32_t h;
  if (bits > 0x7f800000u) {
    h = 0x7e00u | ((bits >> 13) & 0x3ffu);
  } else if (bits >= 0x47800000u) {
    h = 0x7c00u;
  } else if (bits < 0x38800000u) {
    float shifted;
    memcpy(&shifted, &bits, 4);
    shifted += 0.5f;
    memcpy(&h, &shifted, 4);
    h -= 0x3f000000u;
  } else {
    h = (bits - 0x38000000u + 0xfffu + ((bits >> 13) & 1u)) >> 13;
  }
  return static_cast<uint16_t>(sign | h);
}

// The upper half of a float, rounded to nearest even; NaNs stay NaNs.
LN_INLINE uint16_t float_to_bfloat(float f) {
  uint32_t bits;
  memcpy(&bits, &f, 4);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const uint32_t quiet = (bits >> 16) | 0x40u;
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}
LN_INLINE float bfloat_to_float(uint16_t h) {
  const uint32_t bits = static_cast<uint32_t>(h) << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

// Rounding to odd: an inexact result gets an odd last bit, so that rounding it again to at least two bits less gives
// what a single rounding of the original would (Boldo and Melquiond 2008).
LN_INLINE float round_to_odd(double x) {
  const float nearest = static_cast<float>(x);
  const double back = static_cast<double>(nearest);
  if (back == x || x != x) return nearest;
  uint32_t bits;
  memcpy(&bits, &nearest, 4);
  if (__builtin_fabs(back) > __builtin_fabs(x)) --bits;
  bits |= 1u;
  float odd;
  memcpy(&odd, &bits, 4);
  return odd;
}
LN_INLINE float round_to_odd(int64_t x) {
  const bool negative = x < 0;
  uint64_t magnitude = negative ? uint64_t{0} - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
  // Beyond 2^53 the last bits are folded into one, which leaves more than enough for the second rounding.
  if (magnitude >> 53) magnitude = (magnitude & ~uint64_t{0x7ff}) | (magnitude & 0x7ff ? 0x800 : 0);
  const double exact = static_cast<double>(magnitude);
  return round_to_odd(negative ? -exact : exact);
}
LN_INLINE float round_to_odd(int32_t x) {
  return round_to_odd(static_cast<double>(x));
}

LN_END_TARGET
