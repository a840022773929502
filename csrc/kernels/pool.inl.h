// Pooling over windows of images [n, in.., c], vectors running along the channels. Padding takes no part: averages
// divide by the elements really there. A window that holds nothing else gives -inf (max) or 0 (average).
#pragma once

#include "windows.inl.h"

LN_BEGIN_TARGET

// The elements under the window at one position: each(f) calls f with the offset of their vectors of channels.
struct Pool {
  const WindowDims& d;
  const Line& line;
  Taps taps;
  LN_INLINE size_t count() const { return line.z.count() * line.y.count() * taps.count(); }
  template <class F>
  LN_INLINE void each(const F& f) const {
    for_each_tap(d, line, taps, [&](size_t, size_t pixel) __attribute__((always_inline)) { f(pixel * d.c); });
  }
};

// Calls f(pool, to, place) for every position and vector of channels: `to` is the offset of the output.
template <class T, class F>
LN_INLINE void for_each_pool(const WindowDims& d, const F& f) {
  for_each_line(
      d, [&](const Line& line) __attribute__((always_inline)) {
        size_t to = line.row * d.c;
        for (size_t ox = line.x0; ox < line.x1; ++ox, to += d.c) {
          const Pool pool{d, line, taps_at(d, 2, ox)};
          for_each_channels<T>(d.c, [&](auto place) __attribute__((always_inline)) { f(pool, to, place); });
        }
      });
}
// The heads of the lambdas handed to these two.
#define LN_POOL [&](const Pool& pool, size_t to, auto place) __attribute__((always_inline))
#define LN_ELEMENT [&](size_t from) __attribute__((always_inline))

template <class T, class Place>
LN_INLINE Vec<T> pool_max(const Pool& pool, const T* x, Place place) {
  Vec<T> best = Vec<T>::set1(-FloatTraits<T>::infinity);
  pool.each(LN_ELEMENT { best = max_nan(best, place.load(x + from)); });
  return best;
}
// Calls f(from, wins) for the elements of the window: wins is true at the first that equals the maximum (the first NaN
// if there is one), for each channel.
template <class T, class Place, class F>
LN_INLINE void pool_winner(const Pool& pool, const T* x, Place place, const F& f) {
  const Vec<T> best = pool_max(pool, x, place);
  Mask<T> open = Vec<T>::zero() == Vec<T>::zero();
  pool.each(LN_ELEMENT {
    const Vec<T> here = place.load(x + from);
    const Mask<T> wins = (here == best) | is_nan(here);
    f(from, wins & open);
    open = open & ~wins;
  });
}

// y = maximum of each window, NaN if it holds a NaN.
template <class T>
void max_pool(const T* x, T* y, const WindowDims* d) noexcept {
  for_each_pool<T>(*d, LN_POOL { place.store(pool_max(pool, x, place), y + to); });
}

// dx = dy at the winner of each window, added where windows share an element.
template <class T>
void max_pool_grad(const T* x, const T* dy, T* dx, const WindowDims* d) noexcept {
  zero_run(dx, elements(*d));
  for_each_pool<T>(
      *d, LN_POOL {
        const Vec<T> gradient = place.load(dy + to);
        pool_winner(
            pool, x, place, [&](size_t from, Mask<T> wins) __attribute__((always_inline)) {
              place.store(place.load(dx + from) + keep(wins, gradient), dx + from);
            });
      });
}

// y = g at the winner of each window of x.
template <class T>
void max_pool_pick(const T* x, const T* g, T* y, const WindowDims* d) noexcept {
  for_each_pool<T>(
      *d, LN_POOL {
        Vec<T> picked = Vec<T>::zero();
        pool_winner(
            pool, x, place, [&](size_t from, Mask<T> wins) __attribute__((always_inline)) {
              picked = select(wins, place.load(g + from), picked);
            });
        place.store(picked, y + to);
      });
}

template <class T>
void avg_pool(const T* x, T* y, const WindowDims* d) noexcept {
  for_each_pool<T>(
      *d, LN_POOL {
        Vec<T> sum = Vec<T>::zero();
        pool.each(LN_ELEMENT { sum = sum + place.load(x + from); });
        const size_t count = pool.count();
        place.store(sum / Vec<T>::set1(static_cast<T>(count > 0 ? count : 1)), y + to);
      });
}

template <class T>
void avg_pool_grad(const T* dy, T* dx, const WindowDims* d) noexcept {
  zero_run(dx, elements(*d));
  for_each_pool<T>(
      *d, LN_POOL {
        const Vec<T> share = place.load(dy + to) / Vec<T>::set1(static_cast<T>(pool.count()));
        pool.each(LN_ELEMENT { place.store(place.load(dx + from) + share, dx + from); });
      });
}
#undef LN_POOL
#undef LN_ELEMENT

#define LN_POOL_KERNELS(suffix, T)                                                            \
  void max_pool_##suffix(const T* x, T* y, const WindowDims* d) noexcept {                    \
    max_pool(x, y, d);                                                                        \
  }                                                                                           \
  void max_pool_grad_##suffix(const T* x, const T* dy, T* dx, const WindowDims* d) noexcept { \
    max_pool_grad(x, dy, dx, d);                                                              \
  }                                                                                           \
  void max_pool_pick_##suffix(const T* x, const T* g, T* y, const WindowDims* d) noexcept {   \
    max_pool_pick(x, g, y, d);                                                                \
  }                                                                                           \
  void avg_pool_##suffix(const T* x, T* y, const WindowDims* d) noexcept {                    \
    avg_pool(x, y, d);                                                                        \
  }                                                                                           \
  void avg_pool_grad_##suffix(const T* dy, T* dx, const WindowDims* d) noexcept {             \
    avg_pool_grad(dy, dx, d);                                                                 \
  }
LN_POOL_KERNELS(f32, float)
LN_POOL_KERNELS(f64, double)
#undef LN_POOL_KERNELS

LN_END_TARGET
