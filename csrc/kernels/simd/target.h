// Namespaces and macros shared by all code that is compiled once per instruction set.
// Everything between LN_BEGIN_TARGET and LN_END_TARGET is private to one object file, so that no inline function
// compiled for one instruction set can replace another's at link time.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef LN_TARGET
#error "compile with -DLN_TARGET=<scalar|avx2|avx512|avx512vnni|amx|neon>"
#endif

#define LN_CAT2(a, b) a##b
#define LN_CAT(a, b) LN_CAT2(a, b)
#define LN_STRING2(a) #a
#define LN_STRING(a) LN_STRING2(a)

#define LN_BEGIN_TARGET \
  namespace layernet {  \
  namespace kernels {   \
  namespace LN_TARGET { \
  namespace {
#define LN_END_TARGET \
  }                   \
  }                   \
  }                   \
  }

#define LN_INLINE inline __attribute__((always_inline))
