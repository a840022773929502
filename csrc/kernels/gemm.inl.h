// Matrix product C = activation(A B + bias), written once over Vec<T> for every instruction set.
//
// Every element of C is computed by a rule that depends on k, n and the instruction set only, so the bits of a row do
// not depend on how many rows there are, on strides or on tiling:
//   wide    more than two vectors of columns: one chain of fma in the order of k. It starts from the bias (plus C when
//           accumulating); where k is cut into blocks the chain goes on from the value stored in C.
//   narrow  one or two vectors of columns leave too few chains to hide the latency of fma: product p of the k belongs
//           to chain p % 4 or p % 2, and the chains are added at the end.
//   dot     up to four columns, which would leave a vector mostly empty: the vectors run along k, in 4 chains of one
//           vector each for one column, in 2 for two and in 1 for more.
//
// A tile is R rows by V vectors of columns held in registers; A is broadcast from memory with any strides, B comes in
// panels `width` columns wide whose rows are contiguous (a row-major B is its own panel with a longer row).
// B may be stored in a smaller type (wide only, float32 results): bfloat16 is widened as it is loaded, which gives the
// bits of a float32 B of the same values; int8 counts in units of a scale for each column, the chain starts from 0 and
// the end is sum * scale + bias, rounded once. Loop order and blocking follow Goto and van de Geijn, "Anatomy of
// high-performance matrix multiplication" (2008), with the roles swapped: a few row tiles of A stay in L1, a block of B
// in L2.
//
// Measured on one Zen 4 core of 3.7 GHz (118 GFLOP/s f32 with avx512 and with avx2) by benchmarks/kernels/bench_gemm,
// packed:
//   rows x k x n       avx512            avx2
//   1 x 16 x 64        30 ns             32 ns
//   1 x 64 x 64        96 ns             92 ns
//   1 x 512 x 1024     95 GB/s           85 GB/s      of weights from L3; 112 GB/s from L2 (1 x 128 x 256)
//   16 x 512 x 1024    114 GFLOP/s       106 GFLOP/s
//   256 x 256 x 256    115 GFLOP/s       112 GFLOP/s
//   1024^3             110 GFLOP/s       108 GFLOP/s
// One and two rows need no prefetch (8 to 64 rows of a panel ahead cost 1 x 512 x 1024 up to 40 % on Zen 4): a panel is
// one sequential stream that the CPU follows by itself. From two tiles of rows on, the next block of B is fetched while
// this one is multiplied (aim_fetch): on a Xeon of 2023 (243 GFLOP/s, L3 at 30 GB/s) 16 x 4096 x 4096 takes 3.2 ms
// instead of 5.3, 256 x 4096 x 4096 49 ms instead of 55.
#pragma once

#include "epilogue.inl.h"
#include "kernel_args.h"
#include "simd/vec.h"
#include "transpose.inl.h"
#include "unroll.inl.h"

LN_BEGIN_TARGET

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif

template <class T>
struct Tile {
  static constexpr int lanes = Vec<T>::size;
  // 16 bytes a vector: 4 vectors make a panel row of one cache line and halve the broadcasts per fma.
  static constexpr int vecs = kRegisters == 32 && sizeof(T) * lanes == 16 ? 4 : 2;
  static constexpr int width = lanes * vecs;
  // The tallest tile: accumulators, a row of B and one broadcast fill the registers.
  static constexpr int rows = kRegisters == 16 ? 6 : vecs == 4 ? 6 : 14;
  // Tiles of fewer rows are only those of products of one tile, which have nothing to fetch.
  static constexpr int fetching_rows = (rows + 1) / 2;
  static constexpr int narrow_rows = kRegisters == 16 ? 3 : 6;
  static constexpr int dot_rows = kRegisters == 16 ? 2 : 4;
  static constexpr size_t narrow_limit = 2 * lanes;  // the widest n computed by the narrow rule
  // The widest n computed by the rule of dot products. On a Xeon of 2023 [64, 64] x [64, 4] takes 320 ns, by the narrow
  // rule 700.
  static constexpr size_t dot_limit = lanes >= 8 ? 4 : lanes / 2;
  // Vectors of columns a tile of r rows may have. Few rows take many columns: at least 8 chains are wanted in flight.
  static constexpr int most_vecs(int r) {
    const int fit = kRegisters == 16 ? (r == 1   ? 8
                                        : r == 2 ? 6
                                        : r == 3 ? 4
                                                 : 2)
                                     : (r <= 3   ? 8
                                        : r == 4 ? 6
                                        : r <= 6 ? 4
                                                 : 2);
    return fit / vecs * vecs > 0 ? fit / vecs * vecs : vecs;
  }
  // B [block_k, block_n] takes 512 KB (f32) or 256 KB of a 1 MB L2; A [rows_at_once, block_k] about L1.
  static constexpr size_t block_k = 2048 / sizeof(T);
  static constexpr size_t block_n = 1024 / sizeof(T);
  static constexpr size_t tiles_at_once = kRegisters == 16 ? 4 : 1;
  static constexpr size_t rows_at_once = tiles_at_once * rows;
  // Rows finished before the next: C [block_m, block_n] stays in L2 while k runs and when an activation follows.
  static constexpr size_t block_m = (rows == 6 ? 768 : 896) / sizeof(T);
  // An unpacked B is used in place for up to in_place_rows rows (few_rows where its last columns do not fill a vector,
  // as these are copied), in_place_k of its rows at a time. That is worth up to a fifth ([64, 512] x [512, 1024] on a
  // Xeon of 2023: 380 us, packed 428), and nothing from about twice as many rows on. Otherwise it is packed in
  // chunks of [chunk_k, chunk_n].
  static constexpr size_t few_rows = 4 * static_cast<size_t>(rows);
  static constexpr size_t in_place_rows = 10 * static_cast<size_t>(rows);
  static constexpr size_t in_place_k = 64;
  static constexpr size_t chunk_k = 4 * block_k;
  static constexpr size_t chunk_n = 4 * block_n;
};

template <class W>
struct TileScale {
  static constexpr bool used = false;
};
template <>
struct TileScale<int8_t> {
  static constexpr bool used = true;
  const float* scale;  // of the columns; null until the last block of k, whose tiles end the sums
};

// One tile's operands. c, bias and scale point at the tile's first column, b at its first panel.
template <class T, class W = T>
struct TileCall : TileScale<W> {
  const T* a;
  size_t rsa, csa;
  const W* b;
  size_t row_stride, panel_stride;  // of B
  T* c;
  size_t ldc;
  const T* bias;
  size_t k;
  const W* fetch;     // prefetched in the first of the k rounds,
  size_t fetch_step;  // in each further one so many elements on
  int last;           // columns in use in the last vector, 1..lanes
  bool add_c;
  bool relu;
};

// The bias of vector v of a tile, or 0.
template <class X, class T, class W>
LN_INLINE X tile_bias(const TileCall<T, W>& t, int v, bool end) {
  if (!t.bias) return X::zero();
  return end ? X::load_partial(t.bias + v * X::size, t.last) : X::load(t.bias + v * X::size);
}

// What the chains of a tile start from: bias, C, both or 0.
template <class X, class T, class W, int R, int V>
LN_INLINE void tile_start(const TileCall<T, W>& t, X (&sum)[R][V]) {
  constexpr int lanes = X::size, end = V - 1;
  unroll<V>(LN_EACH(v) {
    const X s = TileScale<W>::used ? X::zero() : tile_bias<X>(t, v, v == end);
    unroll<R>(LN_EACH(r) { sum[r][v] = s; });
  });
  if (!t.add_c) return;
  const T* c = t.c;
  unroll<R>(LN_EACH(r) {
    unroll<V - 1>(LN_EACH(v) { sum[r][v] = sum[r][v] + X::load(c + v * lanes); });
    sum[r][end] = sum[r][end] + X::load_partial(c + end * lanes, t.last);
    c += t.ldc;
  });
}

template <class X, class T, class W, int R, int V>
LN_INLINE void tile_finish(const TileCall<T, W>& t, X (&sum)[R][V]) {
  constexpr int lanes = X::size, end = V - 1;
  if constexpr (TileScale<W>::used) {
    // The scales fill whole panels.
    if (t.scale)
      unroll<V>(LN_EACH(v) {
        const X scale = X::load(t.scale + v * lanes), bias = tile_bias<X>(t, v, v == end);
        unroll<R>(LN_EACH(r) { sum[r][v] = fma(sum[r][v], scale, bias); });
      });
  }
  if (t.relu) unroll<R>(LN_EACH(r) { unroll<V>(LN_EACH(v) { sum[r][v] = max(X::zero(), sum[r][v]); }); });
  T* c = t.c;
  const bool whole = t.last == lanes;
  unroll<R>(LN_EACH(r) {
    unroll<V - 1>(LN_EACH(v) { sum[r][v].store(c + v * lanes); });
    if (whole) {
      sum[r][end].store(c + end * lanes);
    } else {
      sum[r][end].store_partial(c + end * lanes, t.last);
    }
    c += t.ldc;
  });
}

// Rows of A are addressed in threes from one pointer each: x86 scales an index register by 1 and 2 elements.
template <class T, class W, int R>
struct RowPointers {
  static constexpr int count = (R + 2) / 3;
  const T* p[count];
  size_t rsa, csa;
  LN_INLINE explicit RowPointers(const TileCall<T, W>& t) : rsa(t.rsa), csa(t.csa) {
    unroll<count>(LN_EACH(g) { p[g] = t.a + 3 * g * t.rsa; });
  }
  LN_INLINE const T* row(int r) const { return p[r / 3] + static_cast<size_t>(r % 3) * rsa; }
  LN_INLINE void advance() {
    unroll<count>(LN_EACH(g) { p[g] += csa; });
  }
};

// --- wide
template <class T, class W, int R, int V>
void tile_wide(const TileCall<T, W>& t) noexcept {
  constexpr int lanes = Tile<T>::lanes, vecs = Tile<T>::vecs;
  Vec<T> sum[R][V];
  tile_start(t, sum);
  RowPointers<T, W, R> a(t);
  const W* b = t.b;
  const size_t row_stride = t.row_stride, panel_stride = t.panel_stride;
  [[maybe_unused]] const W* fetch = t.fetch;
  [[maybe_unused]] const size_t fetch_step = t.fetch_step;
  for (size_t p = t.k; p != 0; --p) {
    if constexpr (R >= Tile<T>::fetching_rows) {
      __builtin_prefetch(fetch, 0, 2);
      fetch += fetch_step;
    }
    const auto from = LN_EACH(v) {
      return b + static_cast<size_t>(v / vecs) * panel_stride + v % vecs * lanes;
    };
    if constexpr (sizeof(T) == sizeof(W)) {
      Vec<T> row[V];
      unroll<V>(LN_EACH(v) { row[v] = Vec<T>::load(from(v)); });
      unroll<R>(LN_EACH(r) {
        const Vec<T> x = Vec<T>::set1(*a.row(r));
        unroll<V>(LN_EACH(v) { sum[r][v] = fma(x, row[v], sum[r][v]); });
      });
    } else if constexpr (V <= 2) {
      Vec<T> row[2];
      load_pair(from(0), row[0], row[1]);
      unroll<R>(LN_EACH(r) {
        const Vec<T> x = Vec<T>::set1(*a.row(r));
        unroll<V>(LN_EACH(v) { sum[r][v] = fma(x, row[v], sum[r][v]); });
      });
    } else {
      // A widened vector takes a register, where one that is only loaded is an operand in memory: two at a time.
      Vec<T> x[R];
      unroll<R>(LN_EACH(r) { x[r] = Vec<T>::set1(*a.row(r)); });
      unroll<(V + 1) / 2>(LN_EACH(i) {
        Vec<T> row[2];
        load_pair(from(2 * i), row[0], row[1]);
        unroll<(V - 2 * i < 2 ? V - 2 * i : 2)>(
            LN_EACH(v) { unroll<R>(LN_EACH(r) { sum[r][2 * i + v] = fma(x[r], row[v], sum[r][2 * i + v]); }); });
      });
    }
    a.advance();
    b += row_stride;
  }
  tile_finish(t, sum);
}

template <class T, class W = T>
using TileFn = void (*)(const TileCall<T, W>&) noexcept;

// kWide<T, W>.fn[rows][vectors], null where the registers would not do.
template <class T, class W>
struct WideTiles {
  TileFn<T, W> fn[Tile<T>::rows + 1][9];
  size_t most_panels[Tile<T>::rows + 1];

  template <int R, int V>
  constexpr void fill() {
    if constexpr (V > Tile<T>::most_vecs(R)) {
      if constexpr (R < Tile<T>::rows) fill<R + 1, 1>();
    } else {
      fn[R][V] = &tile_wide<T, W, R, V>;
      most_panels[R] = static_cast<size_t>(Tile<T>::most_vecs(R) / Tile<T>::vecs);
      fill<R, V + 1>();
    }
  }
  constexpr WideTiles() : fn{}, most_panels{} { fill<1, 1>(); }
};
template <class T, class W>
constexpr WideTiles<T, W> kWide{};

template <class T>
LN_INLINE T* shift_bias(T* p, size_t by) {
  return p ? p + by : p;
}

// On to the panels that begin `columns` further.
template <class T, class W>
LN_INLINE void next_columns(TileCall<T, W>& t, size_t panels, size_t columns) {
  t.b += panels * t.panel_stride;
  t.c += columns;
  t.bias = shift_bias(t.bias, columns);
  if constexpr (TileScale<W>::used) t.scale = shift_bias(t.scale, columns);
}

// Rows of the next tile out of m: full tiles, then two halves rather than a sliver.
template <class T>
LN_INLINE size_t next_rows(size_t m) {
  constexpr size_t rows = static_cast<size_t>(Tile<T>::rows);
  return m <= rows ? m : m >= 2 * rows ? rows : (m + 1) / 2;
}

// How many tiles that makes.
template <class T>
LN_INLINE size_t tiles_of(size_t m) {
  constexpr size_t rows = static_cast<size_t>(Tile<T>::rows);
  return (m + rows - 1) / rows;
}

// Up to one tile of rows by n columns; t.k is not limited. The path of small batches: nothing is done but the tiles.
// t is used up. It is not passed by value: copying a struct that was just written field by field waits for the fields
// to reach the cache, which took longer than the product of a small layer.
template <class T, class W>
LN_INLINE void wide_few_rows(TileCall<T, W>& t, size_t m, size_t n) {
  constexpr size_t lanes = static_cast<size_t>(Tile<T>::lanes), vecs = static_cast<size_t>(Tile<T>::vecs);
  constexpr size_t width = lanes * vecs;
  const TileFn<T, W>* tiles = kWide<T, W>.fn[m];
  const size_t most = kWide<T, W>.most_panels[m];
  size_t panels = (n + width - 1) / width;
  t.last = static_cast<int>(lanes);
  while (panels > most) {
    const size_t take = panels >= 2 * most ? most : (panels + 1) / 2;
    tiles[take * vecs](t);
    const size_t columns = take * width;
    next_columns(t, take, columns);
    n -= columns;
    panels -= take;
  }
  const size_t vectors = (n + lanes - 1) / lanes;
  t.last = static_cast<int>(n - (vectors - 1) * lanes);
  tiles[vectors](t);
}

// Room for one tile's rows of A: k rounded up by a cache line, so that rows do not fall into the same L1 sets, which
// also takes the lanes that the transposed copy writes beyond its end.
template <class T>
constexpr size_t kRowRoom = Tile<T>::block_k + 64 / sizeof(T);

// Copies [m, k] of A to a buffer, along whichever stride is 1.
template <class T>
LN_INLINE void copy_rows(const T* a, size_t rsa, size_t csa, size_t m, size_t k, T* to, size_t* to_rsa,
                         size_t* to_csa) {
  if (csa == 1) {
    for (size_t i = 0; i < m; ++i) memcpy(to + i * kRowRoom<T>, a + i * rsa, k * sizeof(T));
    *to_rsa = kRowRoom<T>;
    *to_csa = 1;
    return;
  }
  *to_rsa = 1;
  *to_csa = m;
  if (rsa == 1) {
    constexpr size_t lanes = static_cast<size_t>(Tile<T>::lanes);
    for (size_t p = 0; p < k; ++p, a += csa, to += m)
      for (size_t i = 0; i < m; i += lanes)
        Vec<T>::load_partial(a + i, static_cast<int>(m - i < lanes ? m - i : lanes)).store(to + i);
  } else {
    for (size_t p = 0; p < k; ++p)
      for (size_t i = 0; i < m; ++i) to[p * m + i] = a[i * rsa + p * csa];
  }
}

// The block of B after this one, of n columns; 0: there is none.
template <class W>
struct NextBlock {
  const W* b;
  size_t k, n;
};

// Points row tile i of `tiles` at what it fetches while it multiplies the panel at column j: a share of the same panel
// of the next block. The last few tiles share it, so that it crowds out what has had most of its use. The first block
// of a product is fetched by its own first tile, each panel during the one before it. Rows of B in place are far apart:
// one tile fetches a line of each.
template <class T, class W>
LN_INLINE void aim_fetch(TileCall<T, W>& tile, size_t i, size_t tiles, size_t j, size_t n, bool first,
                         const NextBlock<W>& next) {
  constexpr size_t width = static_cast<size_t>(Tile<T>::width), most = 4;
  const bool apart = tile.row_stride != width;
  const size_t shares = apart ? 1 : tiles < most ? tiles : most, share = i + shares - tiles;
  tile.fetch = tile.b;
  tile.fetch_step = 0;
  if (first && i == 0) {
    tile.fetch += n - j > width ? tile.panel_stride : 0;
    tile.fetch_step = tile.row_stride;
  } else if (j < next.n && share < shares && tile.k > 0) {
    tile.fetch_step = (next.k * tile.row_stride + shares * tile.k - 1) / (shares * tile.k);
    tile.fetch = next.b + j / width * tile.panel_stride + share * tile.k * tile.fetch_step;
  }
}

// Any number of rows by n columns, t.k <= block_k: each group of row tiles passes over the panels once. t's
// pointers are used up: what changes is stored field by field, as copying a struct waits for fields just written (see
// wide_few_rows; with a copy for each tile [256, 4] x [4, 64] took 1.81 us instead of 1.39).
template <class T, class W>
void wide_block(TileCall<T, W>& t, size_t m, size_t n, bool copy_a, bool first, const NextBlock<W>& next) noexcept {
  constexpr size_t lanes = static_cast<size_t>(Tile<T>::lanes), width = static_cast<size_t>(Tile<T>::width);
  alignas(64) T buffer[Tile<T>::rows_at_once * kRowRoom<T>];
  struct RowTile {
    const T* a;
    size_t rsa, csa;
    T* c;
    size_t rows;
  } group[Tile<T>::tiles_at_once];
  const T* a = t.a;
  T* c = t.c;
  const size_t rsa = t.rsa, csa = t.csa;
  const W* const b = t.b;
  const T* const bias = t.bias;
  [[maybe_unused]] const float* scale = nullptr;
  if constexpr (TileScale<W>::used) scale = t.scale;
  const size_t all = tiles_of<T>(m);
  for (size_t done = 0; done < all;) {
    size_t tiles = 0;
    for (T* to = buffer; tiles < Tile<T>::tiles_at_once && m > 0; ++tiles) {
      const size_t rows = next_rows<T>(m);
      RowTile& tile = group[tiles];
      tile = {a, rsa, csa, c, rows};
      if (copy_a) {
        copy_rows(a, rsa, csa, rows, t.k, to, &tile.rsa, &tile.csa);
        tile.a = to;
        to += rows * kRowRoom<T>;
      }
      a += rows * rsa;
      c += rows * t.ldc;
      m -= rows;
    }
    t.b = b;
    t.bias = bias;
    if constexpr (TileScale<W>::used) t.scale = scale;
    for (size_t j = 0; j < n; j += width) {
      const size_t columns = n - j < width ? n - j : width;
      const size_t vectors = (columns + lanes - 1) / lanes;
      t.last = static_cast<int>(columns - (vectors - 1) * lanes);
      for (size_t i = 0; i < tiles; ++i) {
        t.a = group[i].a;
        t.rsa = group[i].rsa;
        t.csa = group[i].csa;
        t.c = group[i].c + j;
        aim_fetch(t, done + i, all, j, n, first, next);
        kWide<T, W>.fn[group[i].rows][vectors](t);
      }
      next_columns(t, 1, width);
    }
    done += tiles;
  }
  t.rsa = rsa;
  t.csa = csa;
}

// --- narrow
// X is Vec<T> or, up to half a vector of columns, HalfVec<T>.
template <class T, class X, int R, int V, bool Masked>
void tile_narrow(const TileCall<T>& t) noexcept {
  constexpr int lanes = X::size;
  constexpr int chains = V == 1 ? 4 : 2;
  X sum[chains][R][V];
  tile_start(t, sum[0]);
  unroll<chains - 1>(
      LN_EACH(u) { unroll<R>(LN_EACH(r) { unroll<V>(LN_EACH(v) { sum[u + 1][r][v] = X::zero(); }); }); });
  RowPointers<T, T, R> a(t);
  const T* b = t.b;
  const size_t row_stride = t.row_stride;
  const int last = t.last;
  const auto add = LN_EACH(u) {
    X row[V];
    unroll<V>(
        LN_EACH(v) { row[v] = Masked && v == V - 1 ? X::load_partial(b + v * lanes, last) : X::load(b + v * lanes); });
    unroll<R>(LN_EACH(r) {
      const X x = X::set1(*a.row(r));
      unroll<V>(LN_EACH(v) { sum[u][r][v] = fma(x, row[v], sum[u][r][v]); });
    });
    a.advance();
    b += row_stride;
  };
  size_t p = t.k;
  for (; p >= chains; p -= chains) unroll<chains>(add);
  unroll<chains - 1>(LN_EACH(u) {
    if (p > static_cast<size_t>(u)) add(u);
  });
  unroll<R>(LN_EACH(r) {
    unroll<V>(LN_EACH(v) {
      sum[0][r][v] = sum[0][r][v] + sum[1][r][v];
      if constexpr (chains == 4) sum[0][r][v] = sum[0][r][v] + (sum[2][r][v] + sum[3][r][v]);
    });
  });
  tile_finish(t, sum[0]);
}

template <class T, class X, int V, bool Masked>
struct NarrowTiles {
  TileFn<T> fn[Tile<T>::narrow_rows + 1];
  template <int R>
  constexpr void fill() {
    fn[R] = &tile_narrow<T, X, R, V, Masked>;
    if constexpr (R < Tile<T>::narrow_rows) fill<R + 1>();
  }
  constexpr NarrowTiles() : fn{} { fill<1>(); }
};
template <class T, class X, int V, bool Masked>
constexpr NarrowTiles<T, X, V, Masked> kNarrow{};

template <class T>
LN_INLINE void narrow_rows(TileCall<T>& t, size_t m, size_t n, bool padded) {
  constexpr size_t lanes = static_cast<size_t>(Tile<T>::lanes), rows = static_cast<size_t>(Tile<T>::narrow_rows);
  constexpr size_t half = static_cast<size_t>(HalfVec<T>::size);
  t.last = static_cast<int>(n <= lanes ? n : n - lanes);
  const bool masked = !padded && n != half && n % lanes != 0;
  const auto tiles = [masked](const auto& whole, const auto& part) { return masked ? part.fn : whole.fn; };
  const TileFn<T>* fn = n <= lanes ? tiles(kNarrow<T, Vec<T>, 1, false>, kNarrow<T, Vec<T>, 1, true>)
                                   : tiles(kNarrow<T, Vec<T>, 2, false>, kNarrow<T, Vec<T>, 2, true>);
  if constexpr (Tile<T>::dot_limit < half && half < lanes)
    if (n <= half) fn = tiles(kNarrow<T, HalfVec<T>, 1, false>, kNarrow<T, HalfVec<T>, 1, true>);
  while (m > 0) {
    const size_t here = m < rows ? m : rows;
    fn[here](t);
    t.a += here * t.rsa;
    t.c += here * t.ldc;
    m -= here;
  }
}

// --- dot
// Adds [R, k] x [k, N] to the chains; columns of B are contiguous, csb apart.
template <class T, int R, int N, int C>
LN_INLINE void add_products(const T* a, size_t rsa, const T* b, size_t csb, size_t k, Vec<T> (&sum)[C][R][N]) {
  constexpr size_t lanes = static_cast<size_t>(Tile<T>::lanes);
  size_t p = 0;
  const auto add = [&](int chain, const auto& load) __attribute__((always_inline)) {
    Vec<T> x[R];
    unroll<R>(LN_EACH(r) { x[r] = load(a + r * rsa + p); });
    unroll<N>(LN_EACH(j) {
      const Vec<T> y = load(b + j * csb + p);
      unroll<R>(LN_EACH(r) { sum[chain][r][j] = fma(x[r], y, sum[chain][r][j]); });
    });
    p += lanes;
  };
  const auto whole = [](const T* from) __attribute__((always_inline)) {
    return Vec<T>::load(from);
  };
  while (p + C * lanes <= k) unroll<C>(LN_EACH(u) { add(u, whole); });
  unroll<C>(LN_EACH(u) {
    if (p + lanes <= k) {
      add(u, whole);
    } else if (p < k) {
      const int count = static_cast<int>(k - p);
      add(u, [count](const T* from) __attribute__((always_inline)) { return Vec<T>::load_partial(from, count); });
    }
  });
}

// Ends a row: its sums with bias, C and relu.
template <class T, int N>
LN_INLINE void dot_finish(const TileCall<T>& t, const Vec<T> (&sums)[N], T* c) {
  T room[4];
  if constexpr (N == 1) {
    room[0] = reduce_add(sums[0]);
    if (t.bias) room[0] += *t.bias;
    if (t.add_c) room[0] += *c;
  } else {
    const auto stored = [](const T* from) __attribute__((always_inline)) {
      return Four<T>{from[0], from[1], N > 2 ? from[N > 2 ? 2 : 0] : 0, N > 3 ? from[N > 3 ? 3 : 0] : 0};
    };
    Four<T> sum = reduce_add(sums[0], sums[1], N > 2 ? sums[N > 2 ? 2 : 0] : Vec<T>::zero(),
                             N > 3 ? sums[N > 3 ? 3 : 0] : Vec<T>::zero());
    if (t.bias) sum += stored(t.bias);
    if (t.add_c) sum += stored(c);
    memcpy(room, &sum, sizeof room);
  }
  if (t.relu) {
    max(Vec<T>::zero(), Vec<T>::load_partial(room, N)).store_partial(c, N);
  } else {
    memcpy(c, room, N * sizeof(T));
  }
}

template <class T, int R, int N>
void tile_dot(const TileCall<T>& t) noexcept {
  constexpr int chains = N == 1 ? 4 : N == 2 ? 2 : 1;
  Vec<T> sum[chains][R][N];
  unroll<chains>(LN_EACH(u) { unroll<R>(LN_EACH(r) { unroll<N>(LN_EACH(j) { sum[u][r][j] = Vec<T>::zero(); }); }); });
  if (t.csa == 1) {
    add_products(t.a, t.rsa, t.b, t.panel_stride, t.k, sum);
  } else {
    constexpr size_t piece = 512;  // a multiple of the chains: each element meets the same chain as in one go
    T rows[R * piece];
    for (size_t p = 0; p < t.k; p += piece) {
      const size_t here = t.k - p < piece ? t.k - p : piece;
      for (size_t q = 0; q < here; ++q)
        for (int r = 0; r < R; ++r) rows[r * piece + q] = t.a[r * t.rsa + (p + q) * t.csa];
      add_products(rows, piece, t.b + p, t.panel_stride, here, sum);
    }
  }
  T* c = t.c;
  unroll<R>(LN_EACH(r) {
    unroll<N>(LN_EACH(j) {
      if constexpr (chains >= 2) sum[0][r][j] = sum[0][r][j] + sum[1][r][j];
      if constexpr (chains == 4) sum[0][r][j] = sum[0][r][j] + (sum[2][r][j] + sum[3][r][j]);
    });
    dot_finish<T, N>(t, sum[0][r], c);
    c += t.ldc;
  });
}

template <class T, int N>
LN_INLINE void dot_rows(TileCall<T>& t, size_t m) {
  constexpr size_t rows = static_cast<size_t>(Tile<T>::dot_rows);
  for (; m >= rows; m -= rows) {
    tile_dot<T, Tile<T>::dot_rows, N>(t);
    t.a += rows * t.rsa;
    t.c += rows * t.ldc;
  }
  for (; m > 0; --m) {
    tile_dot<T, 1, N>(t);
    t.a += t.rsa;
    t.c += t.ldc;
  }
}
template <class T>
LN_INLINE void dot_rows(TileCall<T>& t, size_t m, size_t n) {
  if constexpr (Tile<T>::dot_limit >= 4) {
    if (n == 4) return dot_rows<T, 4>(t, m);
    if (n == 3) return dot_rows<T, 3>(t, m);
  }
  if constexpr (Tile<T>::dot_limit >= 2) {
    if (n == 2) return dot_rows<T, 2>(t, m);
  }
  dot_rows<T, 1>(t, m);
}

// --- packing B
template <class T>
struct PackedLayout {
  static constexpr size_t width(size_t n) {
    constexpr size_t lanes = static_cast<size_t>(Tile<T>::lanes);
    return n <= 1                       ? 1
           : n <= Tile<T>::dot_limit    ? n
           : n <= lanes                 ? lanes
           : n <= Tile<T>::narrow_limit ? 2 * lanes
                                        : lanes * Tile<T>::vecs;
  }
  static constexpr size_t panels(size_t n) { return (n + width(n) - 1) / width(n); }
  // From column to column of a dot product: whole vectors, so that none crosses a line of the cache.
  static constexpr size_t column(size_t k) {
    constexpr size_t lanes = static_cast<size_t>(Tile<T>::lanes);
    return (k + lanes - 1) / lanes * lanes;
  }
};

// One row of a panel, the columns beyond the matrix 0.
template <class T>
LN_INLINE void pack_row(const T* b, size_t columns, size_t width, T* to) {
  constexpr size_t lanes = static_cast<size_t>(Tile<T>::lanes);
  size_t j = 0;
  for (; j + lanes <= columns; j += lanes) Vec<T>::load(b + j).store(to + j);
  if (j < columns) {
    Vec<T>::load_partial(b + j, static_cast<int>(columns - j)).store(to + j);
    j += lanes;
  }
  for (; j < width; j += lanes) Vec<T>::zero().store(to + j);
}

// B [k, n] to panels of `width` columns. Rows of B are read from end to end where they are contiguous.
template <class T>
void pack_panels(const T* b, size_t rsb, size_t csb, size_t k, size_t n, size_t width, T* to) noexcept {
  if (csb == 1 && width > 1) {
    for (size_t p = 0; p < k; ++p, b += rsb, to += width) {
      size_t j = 0;
      for (; j + width <= n; j += width) pack_row(b + j, width, width, to + j * k);
      if (j < n) pack_row(b + j, n - j, width, to + j * k);
    }
    return;
  }
  for (size_t first = 0; first < n; first += width, to += k * width) {
    const size_t columns = n - first < width ? n - first : width;
    const T* from = b + first * csb;
    if (rsb == 1) {
      transpose(from, static_cast<int64_t>(csb), to, static_cast<int64_t>(width), static_cast<int64_t>(columns),
                static_cast<int64_t>(k));
    } else {
      for (size_t p = 0; p < k; ++p)
        for (size_t j = 0; j < columns; ++j) to[p * width + j] = from[p * rsb + j * csb];
    }
    if (columns < width)
      for (size_t p = 0; p < k; ++p)
        for (size_t j = columns; j < width; ++j) to[p * width + j] = 0;
  }
}

template <class T>
void pack_columns(const T* b, size_t rsb, size_t csb, size_t k, size_t n, T* to) noexcept {
  const size_t column = PackedLayout<T>::column(k);
  if (csb == 1) {
    transpose(b, static_cast<int64_t>(rsb), to, static_cast<int64_t>(column), static_cast<int64_t>(k),
              static_cast<int64_t>(n));
  } else {
    for (size_t j = 0; j < n; ++j)
      for (size_t p = 0; p < k; ++p) to[j * column + p] = b[p * rsb + j * csb];
  }
  for (size_t j = 0; j < n; ++j)
    for (size_t p = k; p < column; ++p) to[j * column + p] = 0;
}

template <class T>
size_t pack_b_bytes(size_t k, size_t n) noexcept {
  if (n <= Tile<T>::dot_limit) return n * PackedLayout<T>::column(k) * sizeof(T);
  return PackedLayout<T>::panels(n) * PackedLayout<T>::width(n) * k * sizeof(T);
}
template <class T>
void pack_b(const T* b, size_t rsb, size_t csb, size_t k, size_t n, void* packed) noexcept {
  if (n <= Tile<T>::dot_limit) return pack_columns(b, rsb, csb, k, n, static_cast<T*>(packed));
  pack_panels(b, rsb, csb, k, n, PackedLayout<T>::width(n), static_cast<T*>(packed));
}

// --- the product
// n > narrow_limit, B in place or packed. k_step limits how far down B one pass over its columns goes.
template <class T, class W>
void wide_product(const TileCall<T, W>& t, size_t m, size_t n, size_t k_step, const Epilogue<T>& epilogue,
                  FlushDenormals& mode) noexcept {
  using L = Tile<T>;
  const size_t k = t.k;
  const bool few = m <= static_cast<size_t>(L::rows);
  // With few tiles to hide behind, the block that is fetched should crowd out little ([16, 4096] x [4096, 4096]: 181
  // GFLOP/s with blocks of 256 KB, 163 with 512 KB).
  const size_t block_k = m <= L::few_rows ? L::block_k / 2 : L::block_k;
  const size_t step_k = few || k_step < block_k ? k_step : block_k;
  const size_t step_n = few ? n : L::block_n;
  const size_t step_m = m <= L::block_m + L::block_m / 3 ? m : L::block_m;  // no second pass for a few rows more
  // Copying A pays when its rows are far apart (by multiples of 4 KB they share L1 sets) and serve many panels.
  const bool copy_a = !few && (t.csa != 1 || t.rsa * sizeof(T) >= 1024) && n >= 4 * static_cast<size_t>(L::width);
  const auto b_at = [&](size_t j, size_t p) {
    return t.b + j / static_cast<size_t>(L::width) * t.panel_stride + p * t.row_stride;
  };
  bool first = true;
  for (size_t i = 0; i < m; i += step_m) {
    const size_t rows = m - i < step_m ? m - i : step_m;
    for (size_t j = 0; j < n; j += step_n) {
      const size_t columns = n - j < step_n ? n - j : step_n;
      T* const c = t.c + i * t.ldc + j;
      TileCall<T, W> block = t;
      for (size_t p = 0;;) {
        block.k = k - p < step_k ? k - p : step_k;
        block.a = t.a + i * t.rsa + p * t.csa;
        block.b = b_at(j, p);
        block.c = c;
        const bool ends = p + block.k == k;
        block.bias = (TileScale<W>::used ? ends : p == 0) ? shift_bias(t.bias, j) : nullptr;
        if constexpr (TileScale<W>::used) block.scale = ends ? shift_bias(t.scale, j) : nullptr;
        block.add_c = t.add_c || p > 0;
        block.relu = t.relu && ends;
        if (few) {
          wide_few_rows(block, rows, columns);
        } else {
          // The block after this one: further down B, to the right, or for the next rows.
          const size_t q = ends ? 0 : p + block.k;
          const size_t right = !ends ? j : j + columns < n ? j + columns : 0;
          NextBlock<W> next{};
          if (!ends || right > 0 || i + rows < m) {
            next.b = b_at(right, q);
            next.k = k - q < step_k ? k - q : step_k;
            next.n = n - right < step_n ? n - right : step_n;
          }
          wide_block(block, rows, columns, copy_a, first, next);
          first = false;
        }
        p += block.k;
        if (p == k) break;
      }
      if (epilogue.none()) continue;
      epilogue.apply(c, t.ldc, rows, columns, mode);
      mode.flush();
    }
  }
}

// n <= narrow_limit, B whole (in place or packed, then padded with zeros to whole vectors).
template <class T>
void few_columns_product(TileCall<T>& t, size_t m, size_t n, bool padded, const Epilogue<T>& epilogue,
                         FlushDenormals& mode) noexcept {
  T* c = t.c;
  for (;;) {
    const size_t rows = epilogue.none() || m < 256 ? m : 256;
    if (n <= Tile<T>::dot_limit) {
      dot_rows(t, rows, n);
    } else {
      narrow_rows(t, rows, n, padded);
    }
    if (!epilogue.none()) epilogue.apply(c, t.ldc, rows, n, mode);
    m -= rows;
    if (m == 0) return;
    mode.flush();
    c = t.c;
  }
}

template <class T, class W = T>
LN_INLINE TileCall<T, W> tile_call(const GemmArgs& g) {
  TileCall<T, W> t;
  t.a = static_cast<const T*>(g.a);
  t.rsa = g.rsa;
  t.csa = g.csa;
  t.b = static_cast<const W*>(g.b);
  t.row_stride = t.panel_stride = t.fetch_step = 0;
  t.fetch = t.b;
  t.c = static_cast<T*>(g.c);
  t.ldc = g.ldc;
  t.bias = static_cast<const T*>(g.bias);
  t.k = g.k;
  t.last = 0;
  t.add_c = g.accumulate != 0;
  t.relu = g.activation == kActRelu && g.gate == nullptr;
  return t;
}

// Columns [first, first + columns) of a wide product; first is a multiple of the panel width.
template <class T, class W>
LN_INLINE void packed_wide(const GemmArgs& g, size_t first, size_t columns, TileCall<T, W>& t,
                           const Epilogue<T>& epilogue, FlushDenormals& mode) {
  using L = Tile<T>;
  t.row_stride = static_cast<size_t>(L::width);
  t.panel_stride = g.k * static_cast<size_t>(L::width);
  t.b += first * g.k;
  t.c += first;
  t.bias = shift_bias(t.bias, first);
  if (g.m <= static_cast<size_t>(L::rows)) {
    T* const c = t.c;
    wide_few_rows(t, g.m, columns);
    if (!epilogue.none()) epilogue.apply(c, t.ldc, g.m, columns, mode);
    return;
  }
  wide_product(t, g.m, columns, SIZE_MAX, epilogue, mode);
}

// The same of any product. The whole n chooses the rule, so that a product split by columns has the bits of the whole.
template <class T>
LN_INLINE void packed_columns(const GemmArgs& g, size_t first, size_t columns) {
  using L = Tile<T>;
  if (g.m == 0 || columns == 0) return;
  FlushDenormals mode;
  TileCall<T> t = tile_call<T>(g);
  const Epilogue<T> epilogue = epilogue_of<T>(g);
  if (g.n <= L::narrow_limit) {
    t.row_stride = PackedLayout<T>::width(g.n);
    t.panel_stride = PackedLayout<T>::column(g.k);
    few_columns_product(t, g.m, g.n, true, epilogue, mode);
    return;
  }
  packed_wide(g, first, columns, t, epilogue, mode);
}

template <class T>
size_t gemm_workspace(size_t n, size_t k) noexcept {
  using L = Tile<T>;
  if (n <= L::narrow_limit) return pack_b_bytes<T>(k, n);
  const size_t panels = (n + L::width - 1) / L::width, most = L::chunk_n / L::width;
  return (panels < most ? panels : most) * L::width * (k < L::chunk_k ? k : L::chunk_k) * sizeof(T);
}

template <class T>
void gemm(const GemmArgs* args) noexcept {
  using L = Tile<T>;
  constexpr size_t lanes = static_cast<size_t>(L::lanes), width = static_cast<size_t>(L::width);
  const GemmArgs& g = *args;
  if (g.m == 0 || g.n == 0) return;
  FlushDenormals mode;
  TileCall<T> t = tile_call<T>(g);
  const Epilogue<T> epilogue = epilogue_of<T>(g);
  T* const packed = static_cast<T*>(g.workspace);

  if (g.n <= L::narrow_limit) {
    // Columns that end within a vector would be masked at each of the k: without mask registers (AVX2) more than one
    // tile of rows does better with a copy padded with zeros ([256, 64] x [64, 5] on Zen 1: 14 us instead of 32).
    const bool whole = g.n % lanes == 0 || g.n == static_cast<size_t>(HalfVec<T>::size);
    const bool pad = kRegisters == 16 && !whole && g.m > static_cast<size_t>(L::narrow_rows);
    if (g.n <= L::dot_limit ? g.rsb == 1 : g.csb == 1 && !pad) {
      t.row_stride = g.rsb;
      t.panel_stride = g.csb;
      few_columns_product(t, g.m, g.n, false, epilogue, mode);
    } else {
      pack_b(t.b, g.rsb, g.csb, g.k, g.n, packed);
      t.b = packed;
      t.row_stride = PackedLayout<T>::width(g.n);
      t.panel_stride = PackedLayout<T>::column(g.k);
      few_columns_product(t, g.m, g.n, true, epilogue, mode);
    }
    return;
  }

  const size_t whole = g.n / lanes * lanes, rest = g.n - whole;
  if (g.csb == 1 && g.m <= (rest == 0 ? L::in_place_rows : L::few_rows)) {
    t.row_stride = g.rsb;
    t.panel_stride = width;
    // One row over a B beyond L2: rows of B are read from end to end, few at a time, as the prefetcher of the CPU likes
    // it. Measured on Zen 4 with B [512, 1024]: 31 us with 8 rows at a time, 37 us with 64; two rows 34 us and 28 us.
    const bool rows_of_b = g.m == 1 && g.n * g.k * sizeof(T) > 256 * 1024;
    wide_product(t, g.m, whole, rows_of_b ? 8 : L::in_place_k, Epilogue<T>(), mode);
    if (rest > 0) {
      // The last columns do not fill a vector: they are copied, so that no load passes the end of B.
      TileCall<T> edge = t;
      edge.row_stride = lanes;
      for (size_t p = 0;;) {
        edge.k = g.k - p < L::in_place_k ? g.k - p : L::in_place_k;
        pack_panels(t.b + whole + p * g.rsb, g.rsb, size_t{1}, edge.k, rest, lanes, packed);
        edge.a = t.a + p * g.csa;
        edge.b = packed;
        edge.c = t.c + whole;
        edge.bias = p == 0 ? shift_bias(t.bias, whole) : nullptr;
        edge.add_c = t.add_c || p > 0;
        edge.relu = t.relu && p + edge.k == g.k;
        wide_block(edge, g.m, rest, false, false, NextBlock<T>{});
        p += edge.k;
        if (p == g.k) break;
      }
    }
    if (!epilogue.none()) epilogue.apply(t.c, t.ldc, g.m, g.n, mode);
    return;
  }

  t.row_stride = width;
  for (size_t j = 0; j < g.n; j += L::chunk_n) {
    const size_t columns = g.n - j < L::chunk_n ? g.n - j : L::chunk_n;
    TileCall<T> chunk = t;
    chunk.b = packed;
    chunk.c = t.c + j;
    for (size_t p = 0;;) {
      chunk.k = g.k - p < L::chunk_k ? g.k - p : L::chunk_k;
      const bool ends = p + chunk.k == g.k;
      chunk.panel_stride = chunk.k * width;
      chunk.a = t.a + p * g.csa;
      chunk.bias = p == 0 ? shift_bias(t.bias, j) : nullptr;
      chunk.add_c = t.add_c || p > 0;
      chunk.relu = t.relu && ends;
      pack_panels(t.b + p * g.rsb + j * g.csb, g.rsb, g.csb, chunk.k, columns, width, packed);
      wide_product(chunk, g.m, columns, SIZE_MAX, ends ? epilogue : Epilogue<T>(), mode);
      if (ends) break;
      p += chunk.k;
    }
  }
}

LN_END_TARGET
