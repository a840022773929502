// tanh in float32 by lookup, for instruction sets that look 32 numbers up in registers: 14 cycles for 16 numbers on
// Zen 4, where exp_parts_short and a division take 25, and at most 1 ULP. The others compute it (math.inl.h).
#pragma once

#include "simd/vec.h"

#ifdef LN_HAS_LOOKUP

LN_BEGIN_TARGET

// The line from 0 to 10 in 32 intervals, four to each power of 2, of which the first begins at 0:
// tanh(c + r) = T[1] + T[2] r + ... + T[6] r^5 with c = T[0] near the middle. An interval is known by the exponent and
// the two highest bits of the mantissa, modulo 32. fit_math.py found the numbers, rounding included: 2^-25.0.
alignas(64) constexpr float kTanhTable[7][32] = {
    {0x1.200394p+1f, 0x1.60023p+1f,  0x1.9ffd2cp+1f, 0x1.e002cep+1f, 0x1.2004d2p+2f, 0x1.6005f2p+2f, 0x1.9ff83p+2f,
     0x1.e007dp+2f,  0x1.1ff83p+3f,  0x0p+0f,        0x1.a00548p-5f, 0x1.dfff48p-5f, 0x1.1ff92cp-4f, 0x1.5ffee6p-4f,
     0x1.9ffde6p-4f, 0x1.e00434p-4f, 0x1.1ff876p-3f, 0x1.6006ap-3f,  0x1.a003bp-3f,  0x1.e0074cp-3f, 0x1.1ffe3ap-2f,
     0x1.600068p-2f, 0x1.a0044cp-2f, 0x1.e00444p-2f, 0x1.1ffcecp-1f, 0x1.5ffc7cp-1f, 0x1.a004fp-1f,  0x1.dff95ap-1f,
     0x1.20038p+0f,  0x1.60064p+0f,  0x1.9fff1p+0f,  0x1.e00076p+0f},
    {0x1.f4c076p-1f, 0x1.fbd52ep-1f, 0x1.fe7668p-1f, 0x1.ff6f1ep-1f, 0x1.ffdfacp-1f, 0x1.fffbap-1f,  0x1.ffff68p-1f,
     0x1.ffffecp-1f, 0x1.fffffep-1f, 0x0p+0f,        0x1.9fa9d2p-5f, 0x1.df72dap-5f, 0x1.1f7ff2p-4f, 0x1.5f21bap-4f,
     0x1.9e9142p-4f, 0x1.ddd4b8p-4f, 0x1.1e166cp-3f, 0x1.5c9976p-3f, 0x1.9a62a6p-3f, 0x1.d76d46p-3f, 0x1.18a1f6p-2f,
     0x1.52c322p-2f, 0x1.8a8b8ap-2f, 0x1.bfb1dep-2f, 0x1.050628p-1f, 0x1.31559cp-1f, 0x1.578bb6p-1f, 0x1.77d528p-1f,
     0x1.9e5f2p-1f,  0x1.c27b78p-1f, 0x1.d9c6b6p-1f, 0x1.e878b4p-1f},
    {0x1.63fd12p-5f, 0x1.099ea8p-6f,  0x1.8900cp-8f,  0x1.219b08p-9f, 0x1.0299ccp-11f, 0x1.1800fcp-14f, 0x1.2faa1p-17f,
     0x1.48259p-20f, 0x1.062504p-24f, 0x1p+0f,        0x1.feae8cp-1f, 0x1.fe3f08p-1f,  0x1.fd7a4p-1f,   0x1.fc3cc4p-1f,
     0x1.fac14cp-1f, 0x1.f9083cp-1f,  0x1.f6025p-1f,  0x1.f12a74p-1f, 0x1.eb70fep-1f,  0x1.e4dee6p-1f,  0x1.d98baap-1f,
     0x1.c7f704p-1f, 0x1.b3fdc6p-1f,  0x1.9e222cp-1f, 0x1.7aed3ap-1f, 0x1.49e972p-1f,  0x1.197c2ap-1f,  0x1.d83dd4p-2f,
     0x1.61483p-2f,  0x1.ce9364p-3f,  0x1.266032p-3f, 0x1.6fce64p-4f},
    {-0x1.5c2868p-5f,  -0x1.077156p-6f,  -0x1.87cbc2p-8f, -0x1.2143a8p-9f, -0x1.02368cp-11f, -0x1.17a464p-14f,
     -0x1.2a42d6p-17f, -0x1.c08b7ap-20f, 0x1.4fa168p-23f, 0x0p+0f,         -0x1.9e9762p-5f,  -0x1.ddce3p-5f,
     -0x1.1e15c6p-4f,  -0x1.5c8ce4p-4f,  -0x1.9a51e4p-4f, -0x1.d753dap-4f, -0x1.18812ep-3f,  -0x1.527fdap-3f,
     -0x1.89e826p-3f,  -0x1.be7248p-3f,  -0x1.038e2ap-2f, -0x1.2dafd8p-2f, -0x1.4ff91ep-2f,  -0x1.6a1eb4p-2f,
     -0x1.825ceep-2f,  -0x1.897d76p-2f,  -0x1.79befep-2f, -0x1.5aa5e6p-2f, -0x1.1deb84p-2f,  -0x1.96ffb2p-3f,
     -0x1.106658p-3f,  -0x1.5ee77ap-4f},
    {0x1.bbb792p-6f,  0x1.59886ap-7f,  0x1.03a0f4p-8f,  0x1.80d514p-10f, 0x1.5814dp-12f,  0x1.74ca2ap-15f,
     0x1.9486b8p-18f, 0x1.b2bf02p-21f, 0x1.50346ep-25f, -0x1.55554ep-2f, -0x1.51e9f6p-2f, -0x1.4cb53cp-2f,
     -0x1.4f1e82p-2f, -0x1.49636ep-2f, -0x1.47fc7ep-2f, -0x1.44801ap-2f, -0x1.3b7c2p-2f,  -0x1.2ef33cp-2f,
     -0x1.1fb23ep-2f, -0x1.0ff132p-2f, -0x1.e925cp-3f,  -0x1.982db4p-3f, -0x1.42721p-3f,  -0x1.d72116p-4f,
     -0x1.bd5a3ap-5f, 0x1.d7c02cp-7f,  0x1.071b06p-4f,  0x1.8422d2p-4f,  0x1.c6921p-4f,   0x1.97d12ap-4f,
     0x1.33e122p-4f,  0x1.a859f6p-5f},
    {-0x1.95c71cp-7f,  -0x1.514e06p-8f, -0x1.0348e8p-9f,  -0x1.838202p-11f, -0x1.68695ap-13f, -0x1.86e8d6p-16f,
     -0x1.f4e3c8p-19f, 0x1.59ac28p-20f, -0x1.ee8314p-23f, 0x0p+0f,          0x1.2e0a28p-6f,   0x1.02361cp-5f,
     0x1.b114bep-5f,   0x1.acf5e6p-5f,  0x1.01229ep-4f,   0x1.2a90d2p-4f,   0x1.6777f4p-4f,   0x1.af158ap-4f,
     0x1.ecc68p-4f,    0x1.0da0cep-3f,  0x1.32dd3p-3f,    0x1.500efap-3f,   0x1.5c2612p-3f,   0x1.584a76p-3f,
     0x1.39f5bcp-3f,   0x1.e9697ep-4f,  0x1.473836p-4f,   0x1.631b66p-5f,   0x1.dfa8e8p-9f,   -0x1.5a022cp-6f,
     -0x1.9bb4p-6f,    -0x1.559ff2p-6f},
    {0x1.04a3aap-8f,  0x1.f636eap-10f, 0x1.944ddap-11f, 0x1.331f82p-12f, 0x1.1fab16p-14f, 0x1.38a824p-17f,
     0x1.51d3dp-20f,  0x1.a34dd4p-23f, 0x1.7855a8p-27f, 0x1.10bb56p-3f,  0x1.f8d0bcp+1f,  -0x1.927418p+7f,
     0x1.8e6b5ap+2f,  -0x1.8da8c6p+4f, 0x1.afab8ap+2f,  0x1.3c8e2ap+4f,  0x1.5e7e2p+0f,   0x1.17f8f4p+0f,
     -0x1.625f8cp+0f, 0x1.2e54dcp-2f,  0x1.0ffa0cp-4f,  -0x1.0ca254p-5f, 0x1.e03698p-7f,  -0x1.cf4372p-8f,
     -0x1.3fa734p-5f, -0x1.0e2964p-4f, -0x1.d15d72p-5f, -0x1.a6b8ep-5f,  -0x1.07d9ap-5f,  -0x1.3a2568p-7f,
     0x1.6774c8p-10f, 0x1.2e9194p-8f},
};
constexpr float kTanhFirst = 0x1.4p-5f;     // the lowest number whose upper bits name the first interval
constexpr float kTanhLast = 0x1.3ffffep3f;  // tanh is 1 from 9.01 on

LN_INLINE Vec<float> tanh_by_table(Vec<float> x) {
  const Vec<float> a = min(Vec<float>::set1(kTanhLast), abs(x));
  const Int<float> interval = shift_right<21>(as_int(max(Vec<float>::set1(kTanhFirst), a)));
  const Vec<float> r = a - lookup(kTanhTable[0], interval);
  Vec<float> y = lookup(kTanhTable[6], interval);
  for (int i = 5; i >= 1; --i) y = fma(y, r, lookup(kTanhTable[i], interval));
  return flip_sign(y, sign_of(x));
}

LN_END_TARGET

#endif
