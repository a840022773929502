// Depthwise products: a window of each channel times a filter of its own, y[row, c] = sum over taps of x[.., c] w[tap,
// c]. Vectors run along the channels. Where windows lie inside x, the sums of several positions along a line are kept
// in registers, so that a vector of the filter is loaded once for all of them; elsewhere those of several vectors of
// channels. Either way a sum is one chain of fma in the order of the taps, so its bits do not depend on the way.
#pragma once

#include "epilogue.inl.h"
#include "unroll.inl.h"
#include "windows.inl.h"

LN_BEGIN_TARGET

template <class T>
struct DepthwiseCall {
  const WindowDims& d;
  const T *x, *w, *bias;
  T* y;
  bool relu;
};

// Sums of P positions for V vectors of channels.
template <int P, int V, class T, class Place>
struct DepthwiseSums {
  Vec<T> sum[P][V];
  const Place (&place)[V];

  LN_INLINE DepthwiseSums(const DepthwiseCall<T>& call, const Place (&at)[V]) : place(at) {
    unroll<V>(LN_EACH(v) {
      const Vec<T> start = call.bias ? place[v].load(call.bias) : Vec<T>::zero();
      unroll<P>(LN_EACH(p) { sum[p][v] = start; });
    });
  }
  // y is that of the first position.
  LN_INLINE void store(const DepthwiseCall<T>& call, T* y) {
    if (call.relu) unroll<P>(LN_EACH(p) { unroll<V>(LN_EACH(v) { sum[p][v] = max(Vec<T>::zero(), sum[p][v]); }); });
    unroll<P>(LN_EACH(p) { unroll<V>(LN_EACH(v) { place[v].store(sum[p][v], y + p * call.d.c); }); });
  }
};

// P positions from ox on; `taps` are those of the first.
template <int P, int V, class T, class Place>
LN_INLINE void depthwise_sums(const DepthwiseCall<T>& call, const Line& line, size_t ox, const Taps& taps,
                              const Place (&place)[V]) {
  const size_t c = call.d.c, step = call.d.stride[2] * c;
  DepthwiseSums<P, V, T, Place> sums(call, place);
  for_each_tap(
      call.d, line, taps, [&](size_t tap, size_t pixel) __attribute__((always_inline)) {
        const T *x = call.x + pixel * c, *w = call.w + tap * c;
        unroll<V>(LN_EACH(v) {
          const Vec<T> factor = place[v].load(w);
          unroll<P>(LN_EACH(p) { sums.sum[p][v] = fma(place[v].load(x + p * step), factor, sums.sum[p][v]); });
        });
      });
  sums.store(call, call.y + (line.row + ox) * c);
}
// The same for K taps next to each other and positions S apart, whose windows overlap: each element is loaded once for
// all of them. 3x3 on 32x32x64, Zen 4, avx512, rows that are not aligned: 21 us instead of 29 us.
template <int P, int K, int S, class T, class Place>
LN_INLINE void overlapping_sums(const DepthwiseCall<T>& call, const Line& line, size_t ox, size_t from,
                                const Place (&place)[1]) {
  const size_t c = call.d.c;
  DepthwiseSums<P, 1, T, Place> sums(call, place);
  for_each_tap_row(
      call.d, line, [&](size_t tap, size_t pixel) __attribute__((always_inline)) {
        const T *x = call.x + (pixel + from) * c, *w = call.w + tap * c;
        Vec<T> factor[K];
        unroll<K>(LN_EACH(k) { factor[k] = place[0].load(w + k * c); });
        unroll<(P - 1) * S + K>(LN_EACH(i) {
          Vec<T> element = place[0].load(x + i * c);
          hold(element);
          unroll<K>(LN_EACH(k) {
            constexpr int ahead = decltype(i)::value - decltype(k)::value;
            if constexpr (ahead >= 0 && ahead % S == 0 && ahead / S < P)
              sums.sum[ahead / S][0] = fma(element, factor[k], sums.sum[ahead / S][0]);
          });
        });
      });
  sums.store(call, call.y + (line.row + ox) * c);
}

// Positions of a line one by one.
template <class T>
LN_INLINE void single_positions(const DepthwiseCall<T>& call, const Line& line, size_t first, size_t end) {
  constexpr size_t size = Vec<T>::size;
  const size_t c = call.d.c;
  for (size_t ox = first; ox < end; ++ox) {
    const Taps taps = taps_at(call.d, 2, ox);
    size_t j = 0;
    for (; j + 4 * size <= c; j += 4 * size)
      depthwise_sums<1, 4>(call, line, ox, taps, {Whole<T>{j}, {j + size}, {j + 2 * size}, {j + 3 * size}});
    for (; j + size <= c; j += size) depthwise_sums<1, 1>(call, line, ox, taps, {Whole<T>{j}});
    if (j < c) depthwise_sums<1, 1>(call, line, ox, taps, {Partial<T>{j, static_cast<int>(c - j)}});
  }
}
// Positions whose windows lie inside x along the line, P or more of them; the last P may overlap those before. With K
// and S, rows of the kernel have K taps and positions are S apart.
template <int P, int K = 0, int S = 0, class T>
void several_positions(const DepthwiseCall<T>& call, const Line& line, size_t first, size_t end) noexcept {
  for (size_t i = first; i < end; i += P) {
    const size_t ox = end - i < P ? end - P : i;
    const Taps taps = taps_at(call.d, 2, ox);
    for_each_channels<T>(
        call.d.c, [&](auto place) __attribute__((always_inline)) {
          if constexpr (K == 0) {
            depthwise_sums<P, 1>(call, line, ox, taps, {place});
          } else {
            overlapping_sums<P, K, S>(call, line, ox, taps.from, {place});
          }
        });
  }
}
template <class T>
using SeveralPositions = void (*)(const DepthwiseCall<T>&, const Line&, size_t first, size_t end) noexcept;
template <class T>
SeveralPositions<T> several_positions_for(const WindowDims& d, size_t inside) noexcept {
  if (inside < 8) return several_positions<4, 0, 0, T>;
  if (d.dilation[2] == 1 && d.stride[2] <= 2) {
    const bool one = d.stride[2] == 1;
    if (d.window[2] == 3) return one ? several_positions<8, 3, 1, T> : several_positions<8, 3, 2, T>;
    if (d.window[2] == 5) return one ? several_positions<8, 5, 1, T> : several_positions<8, 5, 2, T>;
  }
  return several_positions<8, 0, 0, T>;
}

// y = activation(sums + bias); bias may be null.
template <class T>
void depthwise(const T* x, const T* w, const T* bias, T* y, const WindowDims* dims, int activation,
               const double* params) noexcept {
  const WindowDims& d = *dims;
  const DepthwiseCall<T> call{d, x, w, bias, y, activation == kActRelu};
  const Epilogue<T> epilogue(activation, params);
  const size_t first = positions_of(d, 2, 0).first, end = positions_of(d, 2, d.window[2] - 1).end;
  const size_t inside = first < end ? end - first : 0;
  const SeveralPositions<T> several = several_positions_for<T>(d, inside);
  FlushDenormals mode;
  for_each_line(
      d, [&](const Line& line) __attribute__((always_inline)) {
        if (inside < 4) {
          single_positions(call, line, 0, d.out[2]);
        } else {
          single_positions(call, line, 0, first);
          several(call, line, first, end);
          single_positions(call, line, end, d.out[2]);
        }
        if (epilogue.none()) return;
        epilogue.apply(y + line.row * d.c, d.c, d.out[2], d.c, mode);
        mode.flush();
      });
}

// dx = sum over the windows of dy w.
template <class T>
void depthwise_input_grad(const T* dy, const T* w, T* dx, const WindowDims* dims) noexcept {
  const WindowDims& d = *dims;
  FlushDenormals mode;
  zero_run(dx, elements(d));
  for_each_line(
      d, [&](const Line& line) __attribute__((always_inline)) {
        const T* from = dy + line.row * d.c;
        for (size_t ox = 0; ox < d.out[2]; ++ox, from += d.c) {
          const Taps taps = taps_at(d, 2, ox);
          for_each_channels<T>(
              d.c, [&](auto place) __attribute__((always_inline)) {
                const Vec<T> g = place.load(from);
                for_each_tap(
                    d, line, taps, [&](size_t tap, size_t pixel) __attribute__((always_inline)) {
                      T* const to = dx + pixel * d.c;
                      place.store(fma(g, place.load(w + tap * d.c), place.load(to)), to);
                    });
              });
        }
      });
}

// dw = sum over the positions of dy x. Those of a line are summed on their own (rows.inl.h), then added to the rest.
template <class T>
void depthwise_filter_grad(const T* dy, const T* x, T* dw, const WindowDims* dims) noexcept {
  const WindowDims& d = *dims;
  const size_t c = d.c, step = d.stride[2] * c;
  FlushDenormals mode;
  zero_run(dw, d.window[0] * d.window[1] * d.window[2] * c);
  for_each_line(
      d, [&](const Line& line) __attribute__((always_inline)) {
        for (size_t kx = 0; kx < d.window[2]; ++kx) {
          const Range range = positions_of(d, 2, kx);
          if (range.first == range.end) continue;
          const T* from = dy + (line.row + range.first) * c;
          const size_t ix = range.first * d.stride[2] + kx * d.dilation[2] - d.pad[2];
          for_each_tap_row(
              d, line, [&](size_t tap, size_t pixel) __attribute__((always_inline)) {
                const T* at = x + (pixel + ix) * c;
                T* to = dw + (tap + kx) * c;
                fold_columns<Sum<T>, T>(
                    range.end - range.first, c,
                    [=](auto place, size_t i)
                        __attribute__((always_inline)) { return place.load(at + i * step) * place.load(from + i * c); },
                    [=](auto place, Vec<T> sum)
                        __attribute__((always_inline)) { place.store(place.load(to) + sum, to); });
              });
        }
      });
}

#define LN_DEPTHWISE_KERNELS(suffix, T)                                                                     \
  void depthwise_##suffix(const T* x, const T* w, const T* bias, T* y, const WindowDims* d, int activation, \
                          const double* p) noexcept {                                                       \
    depthwise(x, w, bias, y, d, activation, p);                                                             \
  }                                                                                                         \
  void depthwise_input_grad_##suffix(const T* dy, const T* w, T* dx, const WindowDims* d) noexcept {        \
    depthwise_input_grad(dy, w, dx, d);                                                                     \
  }                                                                                                         \
  void depthwise_filter_grad_##suffix(const T* dy, const T* x, T* dw, const WindowDims* d) noexcept {       \
    depthwise_filter_grad(dy, x, dw, d);                                                                    \
  }
LN_DEPTHWISE_KERNELS(f32, float)
LN_DEPTHWISE_KERNELS(f64, double)
#undef LN_DEPTHWISE_KERNELS

LN_END_TARGET
