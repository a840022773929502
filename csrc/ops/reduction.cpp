// Reductions over any axes. Adjacent axes are one loop over (outer, reduced, inner); others are first gathered to the
// end.
#include "ops/reduction.h"

namespace layernet {

namespace {

// How the input is walked.
struct Layout {
  std::uint8_t first = 0, last = 0;  // reduced axes [first, last), when `gathered` is false
  bool gathered = false;             // kept axes first, reduced ones last, copied to scratch
  std::uint16_t mask = 0;            // reduced axes as bits
};

struct Sizes {
  std::size_t outer = 1, r = 1, inner = 1;
};

bool adjacent(const SmallVector<std::size_t, 6>& axes) {
  for (std::size_t i = 1; i < axes.size(); ++i)
    if (axes[i] != axes[i - 1] + 1) return false;
  return true;
}

// `trailing`: the kernel reduces the last axis only.
Layout plan_layout(const Reduction& op, Preparation& p, bool trailing) {
  const Spec& x = p.in(0);
  const auto axes = axis_indices("reduce", op.axis, op.all, x.shape.size());
  Layout layout;
  for (const std::size_t a : axes) layout.mask = static_cast<std::uint16_t>(layout.mask | (1u << a));
  layout.gathered = !adjacent(axes) || (trailing && !axes.empty() && axes.back() + 1 != x.shape.size());
  if (layout.gathered) {
    p.scratch(element_count(x.shape, "reduce"), item_size(x.dtype));
  } else {
    layout.first = static_cast<std::uint8_t>(axes.empty() ? x.shape.size() : axes.front());
    layout.last = static_cast<std::uint8_t>(axes.empty() ? x.shape.size() : axes.back() + 1);
  }
  return layout;
}

Sizes sizes_of(const Layout& layout, const View& x) noexcept {
  Sizes s;
  for (std::size_t i = 0; i < x.rank(); ++i) {
    const auto n = static_cast<std::size_t>(x.dim(i));
    if (layout.gathered)
      ((layout.mask >> i & 1u) ? s.r : s.outer) *= n;
    else
      (i < layout.first ? s.outer : i < layout.last ? s.r : s.inner) *= n;
  }
  return s;
}

// The input as the kernel wants it.
const void* arranged(const Step& step, const Layout& layout, const View& x, std::size_t item, void* scratch) noexcept {
  if (!layout.gathered) return x.data;
  std::int64_t own[16], shape[16], strides[16];
  std::int64_t stride = 1;
  const int rank = static_cast<int>(x.rank());
  for (int i = rank - 1; i >= 0; --i) {
    own[i] = stride;
    stride *= x.dim(static_cast<std::size_t>(i));
  }
  int at = 0;
  for (const unsigned reduced : {0u, 1u})
    for (int i = 0; i < rank; ++i)
      if ((layout.mask >> i & 1u) == reduced) {
        shape[at] = x.dim(static_cast<std::size_t>(i));
        strides[at++] = own[i];
      }
  copy_strided(step, x.data, scratch, rank, shape, strides, item);
  return scratch;
}

template <class T>
struct Params {
  Layout layout;
  Reduction::Kernel<T> f;
  bool mean;
};

void divide_in_place(const Step& step, float* y, std::size_t n, const double* p) noexcept {
  step.kernels->unary_affine_f32(y, y, n, p);
}
void divide_in_place(const Step& step, double* y, std::size_t n, const double* p) noexcept {
  step.kernels->unary_affine_f64(y, y, n, p);
}
template <class T>
void divide_in_place(const Step&, T*, std::size_t, const double*) noexcept {}

template <class T>
void run_reduction(const Step& step, const Buffers& b) noexcept {
  const auto& p = step.get<Params<T>>();
  const View &x = b.in[0], &y = b.out[0];
  const Sizes s = sizes_of(p.layout, x);
  p.f(static_cast<const T*>(arranged(step, p.layout, x, sizeof(T), b.scratch)), y.as<T>(), s.outer, s.r, s.inner);
  if (p.mean) {
    const double scale[2] = {1.0 / static_cast<double>(s.r), 0.0};
    divide_in_place(step, y.as<T>(), y.size(), scale);
  }
}

template <class T>
void set(Preparation& p, const Layout& layout, Reduction::Kernel<T> f, bool mean, const char* kernel) {
  p.params<Params<T>>() = {layout, f, mean};
  p.run(run_reduction<T>, kernel);
}

template <class T>
struct RowParams {
  Layout layout;
  Reduction::RowKernel<T> f;
};

template <class T>
void run_rows(const Step& step, const Buffers& b) noexcept {
  const auto& p = step.get<RowParams<T>>();
  const Sizes s = sizes_of(p.layout, b.in[0]);
  p.f(static_cast<const T*>(arranged(step, p.layout, b.in[0], sizeof(T), b.scratch)), b.out[0].as<T>(), s.outer, s.r);
}

void moments(const Step& step, const float* x, float* mean, float* var, std::size_t rows, std::size_t c) noexcept {
  step.kernels->moments_f32(x, mean, var, rows, c);
}
void moments(const Step& step, const double* x, double* mean, double* var, std::size_t rows, std::size_t c) noexcept {
  step.kernels->moments_f64(x, mean, var, rows, c);
}

template <class T>
void run_variance(const Step& step, const Buffers& b) noexcept {
  const auto& layout = step.get<Layout>();
  const View &x = b.in[0], &y = b.out[0];
  const Sizes s = sizes_of(layout, x);
  auto* room = static_cast<unsigned char*>(b.scratch);
  T* mean = reinterpret_cast<T*>(layout.gathered ? room + scratch_part(x.size() * sizeof(T)) : room);
  const T* data = static_cast<const T*>(arranged(step, layout, x, sizeof(T), room));
  for (std::size_t o = 0; o < s.outer; ++o)
    moments(step, data + o * s.r * s.inner, mean, y.as<T>() + o * s.inner, s.r, s.inner);
}

}  // namespace

Specs Reduction::infer_reduction(const char* who, const InSpecs& in, DType out) const {
  expect_inputs(who, in, 1);
  const Shape& s = in.shape(0);
  const auto axes = axis_indices(who, axis, all, s.size());
  Shape result;
  std::size_t next = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const bool reduced = next < axes.size() && axes[next] == i;
    if (reduced) ++next;
    if (!reduced)
      result.push_back(s[i]);
    else if (keepdims)
      result.push_back(Dim(1));
  }
  return one_spec(out, std::move(result));
}

Ints Reduction::axes_of(const Value& x) const {
  Ints out;
  for (const std::size_t a : axis_indices("reduce", axis, all, x.rank())) out.push_back(static_cast<std::int64_t>(a));
  return out;
}

Value Reduction::restored(const char* who, Emitter& e, const Value& g, const Value& x) const {
  return emit::restore_axes(e, g, x.shape(), axis_indices(who, axis, all, x.rank()));
}

void Reduction::prepare_reduction(Preparation& p, const char* kernel, const Kernels& k, bool mean) const {
  const Layout layout = plan_layout(*this, p, false);
  switch (p.in(0).dtype) {
    case DType::float64:
      return set(p, layout, k.f64, mean, kernel);
    case DType::int32:
      return set(p, layout, k.i32, mean, kernel);
    case DType::int64:
      return set(p, layout, k.i64, mean, kernel);
    case DType::float32:
      return set(p, layout, k.f32, mean, kernel);
    default:
      fail_dtype(kernel, "a floating type, int32 or int64", name_of(p.in(0).dtype));
  }
}

void Reduction::prepare_bool_reduction(Preparation& p, const char* kernel, Kernel<std::uint8_t> k) const {
  set(p, plan_layout(*this, p, false), k, false, kernel);
}

void Reduction::prepare_row_reduction(Preparation& p, const char* kernel, RowKernel<float> f32,
                                      RowKernel<double> f64) const {
  const Layout layout = plan_layout(*this, p, true);
  if (p.in(0).dtype == DType::float64) {
    p.params<RowParams<double>>() = {layout, f64};
    p.run(run_rows<double>, kernel);
  } else {
    p.params<RowParams<float>>() = {layout, f32};
    p.run(run_rows<float>, kernel);
  }
}

void Reduction::prepare_variance(Preparation& p) const {
  const Layout layout = plan_layout(*this, p, false);
  p.scratch(element_count(p.out().shape, "reduce_variance"), item_size(p.in(0).dtype));
  p.params<Layout>() = layout;
  p.run(p.in(0).dtype == DType::float64 ? run_variance<double> : run_variance<float>, "moments");
}

}  // namespace layernet
