// unroll<N>(f): f(0), ..., f(N - 1) written out, the index a compile-time constant. Arrays of vectors indexed by it
// stay in registers; an ordinary loop is unrolled by gcc only after it has decided to keep such an array in memory.
#pragma once

#include "simd/target.h"

LN_BEGIN_TARGET

template <int I>
struct Index {
  static constexpr int value = I;
  constexpr operator int() const { return I; }
};

template <int N, int I = 0, class F>
LN_INLINE void unroll(const F& f) {
  if constexpr (I < N) {
    f(Index<I>{});
    unroll<N, I + 1>(f);
  }
}

// The head of the lambda handed to unroll.
#define LN_EACH(i) [&](auto i) __attribute__((always_inline))

LN_END_TARGET
