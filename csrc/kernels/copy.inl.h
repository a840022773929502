// Moving data without arithmetic: strided copies between a contiguous array and any strides (transposes, broadcasts,
// reversals), rows by index, fill. Only an item's size matters, so each kernel exists per size.
#pragma once

#include "elementwise.inl.h"

LN_BEGIN_TARGET

constexpr int kMaxRank = 64;

// A copy of `rank` nested loops, outermost first, in elements.
struct CopyPlan {
  int rank;
  int64_t shape[kMaxRank], from[kMaxRank], to[kMaxRank];
};

// Drops axes of length 1 and joins neighbours that one stride can walk in both arrays. False if there is nothing to
// copy.
inline bool make_copy_plan(CopyPlan& plan, int rank, const int64_t* shape, const int64_t* from, const int64_t* to) {
  plan.rank = 0;
  for (int i = 0; i < rank; ++i) {
    if (shape[i] == 0) return false;
    if (shape[i] == 1) continue;
    const int last = plan.rank - 1;
    if (last >= 0 && plan.from[last] == from[i] * shape[i] && plan.to[last] == to[i] * shape[i]) {
      plan.shape[last] *= shape[i];
      plan.from[last] = from[i];
      plan.to[last] = to[i];
      continue;
    }
    plan.shape[plan.rank] = shape[i];
    plan.from[plan.rank] = from[i];
    plan.to[plan.rank] = to[i];
    ++plan.rank;
  }
  return true;
}

template <class T>
LN_INLINE void copy_line(const T* x, int64_t from, T* y, int64_t to, int64_t n) {
  if (to == 1 && from == 1) {
    memcpy(y, x, static_cast<size_t>(n) * sizeof(T));
  } else if (to == 1 && from == 0) {
    const T value = *x;
    for (int64_t i = 0; i < n; ++i) y[i] = value;
  } else if (to == 1) {
    for (int64_t i = 0; i < n; ++i) y[i] = x[i * from];
  } else if (from == 1) {
    for (int64_t i = 0; i < n; ++i) y[i * to] = x[i];
  } else {
    for (int64_t i = 0; i < n; ++i) y[i * to] = x[i * from];
  }
}

// y[c, r] = x[r, c]: the innermost block of a transpose, `rows` x `columns` at most kTile each. Four rows of four items
// are exchanged in registers where an item has 4 bytes, two of two where it has 8.
constexpr int64_t kTile = 32;
template <class T>
LN_INLINE void transpose_tile(const T* x, int64_t ldx, T* y, int64_t ldy, int64_t rows, int64_t columns) {
  int64_t r = 0;
  if constexpr (sizeof(T) == 4) {
    typedef int32_t four __attribute__((vector_size(16)));
    for (; r + 4 <= rows; r += 4) {
      int64_t c = 0;
      for (; c + 4 <= columns; c += 4) {
        four a[4], b[4];
        for (int k = 0; k < 4; ++k) memcpy(&a[k], x + (r + k) * ldx + c, 16);
        b[0] = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5);
        b[1] = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
        b[2] = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5);
        b[3] = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
        a[0] = __builtin_shufflevector(b[0], b[2], 0, 1, 4, 5);
        a[1] = __builtin_shufflevector(b[0], b[2], 2, 3, 6, 7);
        a[2] = __builtin_shufflevector(b[1], b[3], 0, 1, 4, 5);
        a[3] = __builtin_shufflevector(b[1], b[3], 2, 3, 6, 7);
        for (int k = 0; k < 4; ++k) memcpy(y + (c + k) * ldy + r, &a[k], 16);
      }
      for (; c < columns; ++c)
        for (int64_t k = 0; k < 4; ++k) y[c * ldy + r + k] = x[(r + k) * ldx + c];
    }
  } else if constexpr (sizeof(T) == 8) {
    typedef int64_t two __attribute__((vector_size(16)));
    for (; r + 2 <= rows; r += 2) {
      int64_t c = 0;
      for (; c + 2 <= columns; c += 2) {
        two a, b;
        memcpy(&a, x + r * ldx + c, 16);
        memcpy(&b, x + (r + 1) * ldx + c, 16);
        const two low = __builtin_shufflevector(a, b, 0, 2), high = __builtin_shufflevector(a, b, 1, 3);
        memcpy(y + c * ldy + r, &low, 16);
        memcpy(y + (c + 1) * ldy + r, &high, 16);
      }
      for (; c < columns; ++c)
        for (int64_t k = 0; k < 2; ++k) y[c * ldy + r + k] = x[(r + k) * ldx + c];
    }
  }
  for (; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) y[c * ldy + r] = x[r * ldx + c];
}
// y[c * ldy + r] = x[r * ldx + c] tile by tile, so that both arrays are touched in whole cache lines.
template <class T>
inline void transpose(const T* x, int64_t ldx, T* y, int64_t ldy, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r += kTile)
    for (int64_t c = 0; c < columns; c += kTile)
      transpose_tile(x + r * ldx + c, ldx, y + c * ldy + r, ldy, rows - r < kTile ? rows - r : kTile,
                     columns - c < kTile ? columns - c : kTile);
}

template <class T>
inline void run_copy_plan(const CopyPlan& plan, const T* x, T* y) {
  if (plan.rank == 0) {
    *y = *x;
    return;
  }
  const int line = plan.rank - 1;
  // A transpose where one array is contiguous along the last axis and the other along another one.
  int across = -1;
  for (int i = 0; i < line; ++i)
    if ((plan.to[line] == 1 && plan.from[i] == 1 && plan.from[line] != 0 && plan.from[line] != 1) ||
        (plan.from[line] == 1 && plan.to[i] == 1 && plan.to[line] != 1))
      across = i;
  int64_t position[kMaxRank] = {};
  for (;;) {
    if (across < 0) {
      copy_line(x, plan.from[line], y, plan.to[line], plan.shape[line]);
    } else if (plan.to[line] == 1) {
      transpose(x, plan.from[line], y, plan.to[across], plan.shape[line], plan.shape[across]);
    } else {
      transpose(x, plan.from[across], y, plan.to[line], plan.shape[across], plan.shape[line]);
    }
    int axis = line - 1;
    for (; axis >= 0; --axis) {
      if (axis == across) continue;
      x += plan.from[axis];
      y += plan.to[axis];
      if (++position[axis] < plan.shape[axis]) break;
      x -= plan.from[axis] * plan.shape[axis];
      y -= plan.to[axis] * plan.shape[axis];
      position[axis] = 0;
    }
    if (axis < 0) return;
  }
}

// `strides` belong to x when reading (y is contiguous) and to y when writing (x is contiguous).
template <class T>
inline void copy_strided(const void* x, void* y, int rank, const int64_t* shape, const int64_t* strides, bool reading) {
  int64_t contiguous[kMaxRank];
  int64_t step = 1;
  for (int i = rank - 1; i >= 0; --i) {
    contiguous[i] = step;
    step *= shape[i];
  }
  CopyPlan plan;
  if (make_copy_plan(plan, rank, shape, reading ? strides : contiguous, reading ? contiguous : strides))
    run_copy_plan(plan, static_cast<const T*>(x), static_cast<T*>(y));
}
template <class T>
LN_INLINE void fill_items(void* y, const void* value, size_t n) {
  T item;
  memcpy(&item, value, sizeof(T));
  T* items = static_cast<T*>(y);
  for (size_t i = 0; i < n; ++i) items[i] = item;
}
#define LN_DEFINE_COPY(bytes, T)                                                              \
  inline void copy_strided_##bytes(const void* x, void* y, int rank, const int64_t* shape,    \
                                   const int64_t* strides) noexcept {                         \
    copy_strided<T>(x, y, rank, shape, strides, true);                                        \
  }                                                                                           \
  inline void scatter_strided_##bytes(const void* x, void* y, int rank, const int64_t* shape, \
                                      const int64_t* strides) noexcept {                      \
    copy_strided<T>(x, y, rank, shape, strides, false);                                       \
  }                                                                                           \
  inline void fill_##bytes(void* y, const void* value, size_t n) noexcept {                   \
    fill_items<T>(y, value, n);                                                               \
  }
LN_DEFINE_COPY(1, uint8_t)
LN_DEFINE_COPY(2, uint16_t)
LN_DEFINE_COPY(4, uint32_t)
LN_DEFINE_COPY(8, uint64_t)
#undef LN_DEFINE_COPY

// y[i] = row index[i] of x; the indices are the caller's responsibility.
inline void gather_rows(const void* x, const int64_t* index, void* y, size_t n, size_t row_bytes) noexcept {
  const char* from = static_cast<const char*>(x);
  char* to = static_cast<char*>(y);
  // Single items: a constant length turns the copy into one load and one store.
  if (row_bytes == 4) {
    for (size_t i = 0; i < n; ++i) memcpy(to + 4 * i, from + 4 * index[i], 4);
  } else if (row_bytes == 8) {
    for (size_t i = 0; i < n; ++i) memcpy(to + 8 * i, from + 8 * index[i], 8);
  } else if (row_bytes > 0) {
    for (size_t i = 0; i < n; ++i)
      memcpy(to + i * row_bytes, from + static_cast<size_t>(index[i]) * row_bytes, row_bytes);
  }
}
// Row index[i] of y += x[i], in the order of i, so that repeated indices add up reproducibly.
template <class T, class U>
LN_INLINE void scatter_add_rows(T* y, const int64_t* index, const T* x, size_t n, size_t row) {
  for (size_t i = 0; i < n; ++i, x += row) {
    T* to = y + static_cast<size_t>(index[i]) * row;
    LN_INDEPENDENT
    for (size_t j = 0; j < row; ++j) to[j] = static_cast<T>(static_cast<U>(to[j]) + static_cast<U>(x[j]));
  }
}
#define LN_DEFINE_SCATTER_ADD(suffix, T, U)                                                                      \
  inline void scatter_add_rows_##suffix(T* y, const int64_t* index, const T* x, size_t n, size_t row) noexcept { \
    scatter_add_rows<T, U>(y, index, x, n, row);                                                                 \
  }
LN_DEFINE_SCATTER_ADD(f32, float, float)
LN_DEFINE_SCATTER_ADD(f64, double, double)
LN_DEFINE_SCATTER_ADD(i32, int32_t, uint32_t)
LN_DEFINE_SCATTER_ADD(i64, int64_t, uint64_t)
#undef LN_DEFINE_SCATTER_ADD

LN_END_TARGET
