// Row functions along any axis. Softmax and its kin have kernels for contiguous rows; another axis is brought to the
// end in scratch and the result put back.
#pragma once

#include "ops/kernel_pick.h"

namespace layernet {

template <class T>
using RowFn = void (*)(const T* x, T* y, std::size_t rows, std::size_t n);
template <class T>
using RowGradFn = void (*)(const T* dy, const T* y, T* dx, std::size_t rows, std::size_t n);

// The axis as the only attribute.
struct RowAxis {
  std::int64_t axis = -1;
  template <class V>
  void fields(V& visit) {
    visit("axis", axis);
  }
  bool couples_rows(const InSpecs& in) const { return axis_index("softmax", axis, in.rank(0)) == 0; }
  // Keeps the sum over the axis as a size of 1.
  Value sum(Emitter& e, const Value& x) const { return emit::reduce_sum(e, x, Ints{axis}, true); }
};

// x seen as [outer, n, inner] with n along the axis.
struct RowLayout {
  std::size_t outer = 1, n = 1, inner = 1;
  RowLayout(const View& x, std::size_t axis) noexcept {
    for (std::size_t i = 0; i < x.rank(); ++i)
      (i < axis ? outer : i == axis ? n : inner) *= static_cast<std::size_t>(x.dim(i));
  }
  // Between the array and contiguous rows [outer, inner, n].
  template <class T>
  void to_rows(const Step& step, const T* x, T* rows) const noexcept {
    const auto [shape, strides] = walk();
    copy_strided(step, x, rows, 3, shape.v, strides.v, sizeof(T));
  }
  template <class T>
  void from_rows(const Step& step, const T* rows, T* y) const noexcept {
    const auto [shape, strides] = walk();
    pick_kernel<T>(step.kernels->scatter_strided_4, step.kernels->scatter_strided_8)(rows, y, 3, shape.v, strides.v);
  }

 private:
  struct Three {
    std::int64_t v[3];
  };
  std::pair<Three, Three> walk() const noexcept {
    const auto o = static_cast<std::int64_t>(outer), r = static_cast<std::int64_t>(n),
               i = static_cast<std::int64_t>(inner);
    return {Three{{o, i, r}}, Three{{r * i, 1, i}}};
  }
};

template <class F>
struct RowParams {
  F f;
  std::uint32_t axis;
};

template <class T>
void run_rows(const Step& step, const Buffers& b) noexcept {
  const auto& p = step.get<RowParams<RowFn<T>>>();
  const RowLayout l(b.in[0], p.axis);
  const T* x = b.in[0].as<T>();
  T* y = b.out[0].as<T>();
  if (l.inner == 1) return p.f(x, y, l.outer, l.n);
  T* rows = static_cast<T*>(b.scratch);
  l.to_rows(step, x, rows);
  p.f(rows, rows, l.outer * l.inner, l.n);
  l.from_rows(step, rows, y);
}

template <class T>
void run_rows_grad(const Step& step, const Buffers& b) noexcept {
  const auto& p = step.get<RowParams<RowGradFn<T>>>();
  const RowLayout l(b.in[0], p.axis);
  const T *dy = b.in[0].as<T>(), *y = b.in[1].as<T>();
  T* dx = b.out[0].as<T>();
  if (l.inner == 1) return p.f(dy, y, dx, l.outer, l.n);
  auto* room = static_cast<unsigned char*>(b.scratch);
  const std::size_t count = b.in[0].size();
  T* g = take_scratch<T>(room, count);
  T* v = take_scratch<T>(room, count);
  l.to_rows(step, dy, g);
  l.to_rows(step, y, v);
  p.f(g, v, g, l.outer * l.inner, l.n);
  l.from_rows(step, g, dx);
}

// Scratch for `copies` arrays like input 0, unless the axis is the last; gives the axis.
inline std::uint32_t row_scratch(Preparation& p, const char* who, std::int64_t axis, int copies) {
  const Spec& x = p.in(0);
  const std::size_t a = axis_index(who, axis, x.shape.size());
  if (a + 1 != x.shape.size())
    for (int i = 0; i < copies; ++i) p.scratch(element_count(x.shape, who), item_size(x.dtype));
  return static_cast<std::uint32_t>(a);
}

inline void prepare_rows(Preparation& p, const char* who, std::int64_t axis, RowFn<float> f32, RowFn<double> f64) {
  const std::uint32_t a = row_scratch(p, who, axis, 1);
  if (axis == -1) p.last_axis();
  if (p.in(0).dtype == DType::float64) {
    p.params<RowParams<RowFn<double>>>() = {f64, a};
    p.run(run_rows<double>, who);
  } else {
    p.params<RowParams<RowFn<float>>>() = {f32, a};
    p.run(run_rows<float>, who);
  }
}

inline void prepare_rows_grad(Preparation& p, const char* who, std::int64_t axis, RowGradFn<float> f32,
                              RowGradFn<double> f64) {
  const std::uint32_t a = row_scratch(p, who, axis, 2);
  if (p.in(0).dtype == DType::float64) {
    p.params<RowParams<RowGradFn<double>>>() = {f64, a};
    p.run(run_rows_grad<double>, who);
  } else {
    p.params<RowParams<RowGradFn<float>>>() = {f32, a};
    p.run(run_rows_grad<float>, who);
  }
}

}  // namespace layernet
