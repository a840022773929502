// What the ops that change variables share. The first inputs are the variables, the first outputs their new values,
// which may lie in the same memory.
#pragma once

#include <algorithm>

#include "ops/indices.h"

namespace layernet {

constexpr const char* kUpdateNoGradient = "an update changes a variable and gives no value";

// Inputs: `variables` of one shape and type, a gradient (or value) like them, then `scalars` single numbers of that
// type.
inline Specs infer_update(const char* who, const InSpecs& in, std::size_t variables, std::size_t scalars) {
  const std::size_t like = variables + 1;
  expect_inputs(who, in, like + scalars);
  Specs out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    expect_same_dtype(who, in.dtype(0), in.dtype(i));
    const Shape &want = in.shape(0), &got = in.shape(i);
    if (i >= like) {
      if (!got.empty()) fail_shape(who, "single numbers after the gradient", join("shape ", got));
      continue;
    }
    if (got.size() != want.size()) fail_shape(who, join("shape ", want, " like the variable's"), join("shape ", got));
    for (std::size_t d = 0; d < want.size(); ++d)
      same_dim(who, "sizes of the variable and what changes it", want[d], got[d]);
    if (i < variables) out.push_back(in[0]);
  }
  return out;
}
inline Specs infer_optimizer(const char* who, const InSpecs& in, std::size_t variables, std::size_t scalars) {
  if (in.size() != 0) expect_floating(who, in.dtype(0));
  return infer_update(who, in, variables, scalars);
}

// An optimizer that may also be given row numbers [k], last: the gradient is [k, ...] then, those rows of it that are
// not 0. Rows without a gradient keep their values and slots; a number that comes again adds up first (as TensorFlow
// 1.x applies IndexedSlices).
struct UpdateRows {
  bool given = false, narrow = false;
  std::uint32_t numbers = 0;  // the input
};
inline Specs infer_optimizer_rows(const char* who, const InSpecs& in, std::size_t variables, std::size_t scalars) {
  const std::size_t last = variables + 1 + scalars;
  if (in.size() != last + 1) return infer_optimizer(who, in, variables, scalars);
  expect_index(who, in.dtype(last));
  expect_min_rank(who, in.shape(0), 1);
  const Shape &v = in.shape(0), &g = in.shape(variables), &k = in.shape(last);
  expect_rank(who, k, 1);
  if (g.size() != v.size() || !(g[0] == k[0]))
    fail_shape(who, join("a gradient of ", k[0], " rows like those of ", v), join("shape ", g));
  // As if for one row: the rest of the rules is the same.
  Shape row = v;
  Specs like;
  SmallVector<const Spec*, 8> pointers;
  for (std::size_t i = 0; i < last; ++i) like.push_back(in[i]);
  like[variables].shape[0] = row[0];
  for (const Spec& s : like) pointers.push_back(&s);
  return infer_optimizer(who, InSpecs(pointers.data(), pointers.size()), variables, scalars);
}
// Whether rows are given, and the scratch for them: their numbers in order, and the sum of one row.
inline UpdateRows prepare_rows(Preparation& p, std::size_t variables, std::size_t scalars) {
  UpdateRows rows;
  const std::size_t last = variables + 1 + scalars;
  if (p.in().size() != last + 1) return rows;
  rows = {true, p.in(last).dtype == DType::int32, static_cast<std::uint32_t>(last)};
  const Shape& v = p.in(0).shape;
  p.scratch(p.in(last).shape[0], 2 * sizeof(std::int64_t));
  p.scratch(p.in(last).shape[0], sizeof(std::int64_t));
  p.scratch(element_count(Shape(v.begin() + 1, v.end()), "update"), sizeof(double));
  return rows;
}

// A 0-d input.
template <class T>
double number(const View& v) noexcept {
  return static_cast<double>(*v.as<T>());
}

// Chooses run by the variable's type. Elements are updated apart from each other.
inline void prepare_update(Preparation& p, const char* kernel, Step::Run f32, Step::Run f64, bool by_rows = false) {
  p.run(p.in(0).dtype == DType::float64 ? f64 : f32, kernel);
  if (!by_rows) p.elementwise();
}

// f(variables, gradient, outputs, elements) on all elements, or on each row given.
template <std::size_t variables, class T, class F>
void update(const Buffers& b, const UpdateRows& rows, const F& f) noexcept {
  const T* in[variables];
  T* out[variables];
  for (std::size_t i = 0; i < variables; ++i) {
    in[i] = b.in[i].as<T>();
    out[i] = b.out[i].as<T>();
  }
  const std::size_t size = b.out[0].size();
  const T* gradient = b.in[variables].as<T>();
  if (!rows.given) return f(in, gradient, out, size);
  if (size == 0) return;
  for (std::size_t i = 0; i < variables; ++i)
    if (in[i] != out[i]) std::memcpy(out[i], in[i], size * sizeof(T));
  const View& numbers = b.in[rows.numbers];
  const std::size_t count = numbers.size(), length = size / static_cast<std::size_t>(b.out[0].dim(0));
  struct Entry {
    std::int64_t row;
    std::size_t at;
  };
  auto* room = static_cast<unsigned char*>(b.scratch);
  Entry* entries = take_scratch<Entry>(room, count);
  std::int64_t* normal = take_scratch<std::int64_t>(room, count);
  T* sum = take_scratch<T>(room, length);
  normal_indices(numbers, rows.narrow, b.out[0].dim(0), true, normal);
  for (std::size_t i = 0; i < count; ++i) entries[i] = {normal[i], i};
  // Equal numbers stay in their order, so the bits of a sum are always the same.
  std::sort(entries, entries + count,
            [](const Entry& a, const Entry& c) { return a.row != c.row ? a.row < c.row : a.at < c.at; });
  for (std::size_t i = 0; i < count;) {
    const std::int64_t row = entries[i].row;
    const T* g = gradient + entries[i].at * length;
    std::size_t next = i + 1;
    if (next < count && entries[next].row == row) {
      std::memcpy(sum, g, length * sizeof(T));
      for (; next < count && entries[next].row == row; ++next)
        for (std::size_t j = 0; j < length; ++j) sum[j] += gradient[entries[next].at * length + j];
      g = sum;
    }
    i = next;
    if (row < 0) continue;
    T* at[variables];
    for (std::size_t v = 0; v < variables; ++v) at[v] = out[v] + static_cast<std::size_t>(row) * length;
    f(at, g, at, length);
  }
}

}  // namespace layernet
