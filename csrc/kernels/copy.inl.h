// Moving data without arithmetic: strided copies between a contiguous array and any strides (transposes, broadcasts,
// reversals), rows by index, fill. Only an item's size matters, so each kernel exists per size.
#pragma once

#include "elementwise.inl.h"
#include "transpose.inl.h"

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

// memcpy without a call for the short lengths that rows of small arrays have: whole 16 bytes, then the last 16 again.
LN_INLINE void copy_bytes(const char* x, char* y, size_t n) {
  if (n > 256) {
    memcpy(y, x, n);
  } else if (n >= 16) {
    char last[16];
    memcpy(last, x + n - 16, 16);
    for (size_t i = 0; i + 16 < n; i += 16) memcpy(y + i, x + i, 16);
    memcpy(y + n - 16, last, 16);
  } else if (n >= 8) {
    uint64_t first, last;
    memcpy(&first, x, 8);
    memcpy(&last, x + n - 8, 8);
    memcpy(y, &first, 8);
    memcpy(y + n - 8, &last, 8);
  } else if (n >= 4) {
    uint32_t first, last;
    memcpy(&first, x, 4);
    memcpy(&last, x + n - 4, 4);
    memcpy(y, &first, 4);
    memcpy(y + n - 4, &last, 4);
  } else {
    for (size_t i = 0; i < n; ++i) y[i] = x[i];
  }
}

// `lines` lines of n items each.
template <class T>
LN_INLINE void copy_lines(const T* x, int64_t from, int64_t from_line, T* y, int64_t to, int64_t to_line, int64_t n,
                          int64_t lines) {
  if (to == 1 && from == 1) {
    const size_t bytes = static_cast<size_t>(n) * sizeof(T);
    for (int64_t k = 0; k < lines; ++k)
      copy_bytes(reinterpret_cast<const char*>(x + k * from_line), reinterpret_cast<char*>(y + k * to_line), bytes);
  } else if (to == 1 && from == 0) {
    for (int64_t k = 0; k < lines; ++k) {
      const T value = x[k * from_line];
      T* line = y + k * to_line;
      for (int64_t i = 0; i < n; ++i) line[i] = value;
    }
  } else {
    for (int64_t k = 0; k < lines; ++k)
      for (int64_t i = 0; i < n; ++i) y[k * to_line + i * to] = x[k * from_line + i * from];
  }
}

// The two innermost loops are one call of copy_lines or transpose; the others count like an odometer.
template <class T>
inline void run_copy_plan(const CopyPlan& plan, const T* x, T* y) {
  if (plan.rank == 0) {
    *y = *x;
    return;
  }
  const int line = plan.rank - 1;
  // The second of the inner loops: an axis that makes it a transpose (one array is contiguous along the last axis, the
  // other along this one), else the last but one.
  int across = -1;
  bool transposes = false;
  for (int i = 0; i < line; ++i)
    if ((plan.to[line] == 1 && plan.from[i] == 1 && plan.from[line] != 0 && plan.from[line] != 1) ||
        (plan.from[line] == 1 && plan.to[i] == 1 && plan.to[line] != 1)) {
      across = i;
      transposes = true;
    }
  if (!transposes) across = line - 1;
  int64_t position[kMaxRank] = {};
  for (;;) {
    if (!transposes) {
      const bool single = across < 0;
      copy_lines(x, plan.from[line], single ? 0 : plan.from[across], y, plan.to[line], single ? 0 : plan.to[across],
                 plan.shape[line], single ? 1 : plan.shape[across]);
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
  for (size_t i = 0; i < n; ++i)
    copy_bytes(from + static_cast<size_t>(index[i]) * row_bytes, to + i * row_bytes, row_bytes);
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
