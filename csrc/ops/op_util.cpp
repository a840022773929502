// Shape rules, elementwise preparation and composed emissions shared by the ops.
#include "ops/op_util.h"

#include <algorithm>

#include "core/convert.h"

namespace layernet {

Dim same_dim(const char* who, const char* what, Dim a, Dim b) {
  if (a == b || b.is_unknown()) return a;
  if (a.is_unknown()) return b;
  throw ShapeError(join(who, ": expected equal ", what, ", got ", a, " and ", b, "."));
}

Shape broadcast(const char* who, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const std::size_t rank = std::max(a.size(), b.size());
  if (rank > kMaxRank) throw ShapeError(join(who, ": expected at most ", kMaxRank, " axes, got ", rank, "."));
  Shape out(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const Dim da = i + a.size() < rank ? Dim(1) : a[i + a.size() - rank];
    const Dim db = i + b.size() < rank ? Dim(1) : b[i + b.size() - rank];
    if (da == db || db == Dim(1))
      out[i] = da;
    else if (da == Dim(1))
      out[i] = db;
    else if (da.is_unknown() || db.is_unknown())
      out[i] = da.is_unknown() ? db : da;
    else
      throw ShapeError(join(who, ": expected shapes that broadcast together, got ", a, " and ", b,
                            ". Sizes must be equal or 1, counted from the last axis."));
  }
  return out;
}

std::size_t axis_index(const char* who, std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r)
    throw ShapeError(join(who, ": expected an axis in [", -r, ", ", r, ") for rank ", rank, ", got ", axis, "."));
  return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}

SmallVector<std::size_t, 6> axis_indices(const char* who, const Ints& axes, bool all, std::size_t rank) {
  SmallVector<std::size_t, 6> out;
  if (all && axes.empty()) {
    for (std::size_t i = 0; i < rank; ++i) out.push_back(i);
    return out;
  }
  for (const std::int64_t a : axes) out.push_back(axis_index(who, a, rank));
  std::sort(out.begin(), out.end());
  for (std::size_t i = 1; i < out.size(); ++i)
    if (out[i] == out[i - 1]) throw ShapeError(join(who, ": expected distinct axes, got ", axes, "."));
  return out;
}

void expect_inputs(const char* who, const InSpecs& in, std::size_t count) {
  if (in.size() != count) throw InvalidArgumentError(join(who, ": expected ", count, " inputs, got ", in.size(), "."));
}
void expect_floating(const char* who, DType t) {
  if (!is_floating(t)) fail_dtype(who, "a floating type", name_of(t));
}
void expect_arithmetic(const char* who, DType t) {
  if (t == DType::bool_) fail_dtype(who, "numbers", name_of(t));
}
void expect_bool(const char* who, DType t) {
  if (t != DType::bool_) fail_dtype(who, "bool", name_of(t));
}
void expect_index(const char* who, DType t) {
  if (t != DType::int32 && t != DType::int64) fail_dtype(who, "int32 or int64 indices", name_of(t));
}
void expect_same_dtype(const char* who, DType a, DType b) {
  if (a != b) fail_dtype(who, "inputs of one type", std::string(name_of(a)) + " and " + name_of(b));
}
void expect_rank(const char* who, const Shape& s, std::size_t rank) {
  if (s.size() != rank) fail_shape(who, join("rank ", rank), join("shape ", s));
}
void expect_min_rank(const char* who, const Shape& s, std::size_t rank) {
  if (s.size() < rank) fail_shape(who, join("rank ", rank, " or more"), join("shape ", s));
}

// ---- unary
// ---------------------------------------------------------------------------------------------------------------

namespace {

template <class T>
struct UnaryParams {
  UnaryFn<T> f;
  double p[2];
};

template <class T>
void run_unary(const Step& step, const Buffers& b) noexcept {
  const auto& p = step.get<UnaryParams<T>>();
  p.f(b.in[0].as<T>(), b.out[0].as<T>(), b.out[0].size(), p.p);
}

template <class T>
void set_unary(Preparation& p, const char* kernel, UnaryFn<T> f, double p0, double p1) {
  p.params<UnaryParams<T>>() = {f, {p0, p1}};
  p.run(run_unary<T>, kernel);
  p.elementwise();
}

}  // namespace

Specs infer_unary_float(const char* who, const InSpecs& in) {
  expect_inputs(who, in, 1);
  expect_floating(who, in.dtype(0));
  return one_spec(in.dtype(0), in.shape(0));
}

Specs infer_unary_arithmetic(const char* who, const InSpecs& in) {
  expect_inputs(who, in, 1);
  if (!is_floating(in.dtype(0)) && in.dtype(0) != DType::int32 && in.dtype(0) != DType::int64)
    fail_dtype(who, "a floating type, int32 or int64", name_of(in.dtype(0)));
  return one_spec(in.dtype(0), in.shape(0));
}

void prepare_unary(Preparation& p, const char* kernel, UnaryFn<float> f32, UnaryFn<double> f64, double p0, double p1) {
  if (p.in(0).dtype == DType::float64)
    set_unary<double>(p, kernel, f64, p0, p1);
  else
    set_unary<float>(p, kernel, f32, p0, p1);
}

void prepare_unary_int(Preparation& p, const char* kernel, UnaryFn<std::int32_t> i32, UnaryFn<std::int64_t> i64) {
  if (p.in(0).dtype == DType::int64)
    set_unary<std::int64_t>(p, kernel, i64, 0, 0);
  else
    set_unary<std::int32_t>(p, kernel, i32, 0, 0);
}

// ---- binary
// --------------------------------------------------------------------------------------------------------------

// Axes are merged from the last one outwards while both inputs go on either contiguously or not at all, so that the
// common cases (equal shapes, a scalar, a bias) are one or a few long blocks.
BroadcastLoop::BroadcastLoop(const Shape& a, const Shape& b, const Shape& y) noexcept {
  const int ry = static_cast<int>(y.size()), ra = static_cast<int>(a.size()), rb = static_cast<int>(b.size());
  struct Axis {
    std::int64_t n, sa, sb;
  } merged[12];
  int count = 0;
  std::int64_t step_a = 1, step_b = 1;
  for (int i = ry - 1; i >= 0; --i) {
    const std::int64_t n = y[static_cast<std::size_t>(i)].value();
    const std::int64_t na = i - (ry - ra) >= 0 ? a[static_cast<std::size_t>(i - (ry - ra))].value() : 1;
    const std::int64_t nb = i - (ry - rb) >= 0 ? b[static_cast<std::size_t>(i - (ry - rb))].value() : 1;
    if (n == 1) continue;
    const std::int64_t sa = na == 1 ? 0 : step_a, sb = nb == 1 ? 0 : step_b;
    step_a *= na;
    step_b *= nb;
    if (count != 0) {
      Axis& last = merged[count - 1];
      if (sa == last.sa * last.n && sb == last.sb * last.n && (sa != 0) == (last.sa != 0) &&
          (sb != 0) == (last.sb != 0)) {
        last.n *= n;
        continue;
      }
    }
    merged[count++] = Axis{n, sa, sb};
  }
  if (count == 0) {
    mode = 0;
    inner = y.empty() ? 1 : static_cast<std::size_t>(fixed_count(y));
    return;
  }
  inner = static_cast<std::size_t>(merged[0].n);
  mode = merged[0].sa == 0 ? 1 : merged[0].sb == 0 ? 2 : 0;
  rank = count - 1;
  for (int i = 0; i < rank; ++i) {  // outermost first
    const Axis& axis = merged[count - 1 - i];
    extent[i] = axis.n;
    stride_a[i] = axis.sa;
    stride_b[i] = axis.sb;
  }
}

namespace {

template <class T, class R>
struct BinaryParams {
  BinaryFn<T, R> f;
};

template <class T, class R>
void run_binary(const Step& step, const Buffers& buffers) noexcept {
  const auto f = step.get<BinaryParams<T, R>>().f;
  const View &a = buffers.in[0], &b = buffers.in[1], &y = buffers.out[0];
  if (*a.shape == *b.shape) return f(a.as<T>(), b.as<T>(), y.as<R>(), y.size(), 0);
  const std::size_t n = y.size();
  if (n == 0) return;
  const BroadcastLoop loop(*a.shape, *b.shape, *y.shape);
  loop.each([&](std::int64_t oa, std::int64_t ob, std::int64_t oy) {
    f(a.as<T>() + oa, b.as<T>() + ob, y.as<R>() + oy, loop.inner, loop.mode);
  });
}

template <class T, class R>
void set_binary(Preparation& p, const char* kernel, BinaryFn<T, R> f) {
  p.params<BinaryParams<T, R>>() = {f};
  p.run(run_binary<T, R>, kernel);
  p.elementwise();
}

}  // namespace

Specs infer_binary(const char* who, const InSpecs& in) {
  expect_inputs(who, in, 2);
  expect_same_dtype(who, in.dtype(0), in.dtype(1));
  return one_spec(in.dtype(0), broadcast(who, in.shape(0), in.shape(1)));
}

Specs infer_compare(const char* who, const InSpecs& in) {
  expect_inputs(who, in, 2);
  expect_same_dtype(who, in.dtype(0), in.dtype(1));
  return one_spec(DType::bool_, broadcast(who, in.shape(0), in.shape(1)));
}

void prepare_binary(Preparation& p, const char* kernel, const ArithmeticKernels& k) {
  switch (p.in(0).dtype) {
    case DType::float64:
      return set_binary(p, kernel, k.f64);
    case DType::int32:
      return set_binary(p, kernel, k.i32);
    case DType::int64:
      return set_binary(p, kernel, k.i64);
    case DType::int8:
      return set_binary(p, kernel, k.i8);
    case DType::uint8:
      return set_binary(p, kernel, k.u8);
    default:
      return set_binary(p, kernel, k.f32);
  }
}

void prepare_compare(Preparation& p, const char* kernel, const CompareKernels& k) {
  switch (p.in(0).dtype) {
    case DType::float64:
      return set_binary(p, kernel, k.f64);
    case DType::int32:
      return set_binary(p, kernel, k.i32);
    case DType::int64:
      return set_binary(p, kernel, k.i64);
    case DType::int8:
      return set_binary(p, kernel, k.i8);
    case DType::uint8:
      return set_binary(p, kernel, k.u8);
    case DType::bool_:
      return set_binary(p, kernel, k.b8);
    default:
      return set_binary(p, kernel, k.f32);
  }
}

void prepare_logical(Preparation& p, const char* kernel, BinaryFn<std::uint8_t> k) {
  set_binary(p, kernel, k);
}

// ---- gradients of elementwise functions
// -----------------------------------------------------------------------------------

namespace {

template <class T>
struct GradParams {
  GradFn<T> f;
  double p[2];
};

template <class T>
void run_elementwise_grad(const Step& step, const Buffers& b) noexcept {
  const auto& p = step.get<GradParams<T>>();
  p.f(b.in[0].as<T>(), b.in[1].as<T>(), b.out[0].as<T>(), b.out[0].size(), p.p);
}

}  // namespace

Specs infer_elementwise_grad(const char* who, const InSpecs& in) {
  expect_inputs(who, in, 2);
  expect_floating(who, in.dtype(0));
  expect_same_dtype(who, in.dtype(0), in.dtype(1));
  if (in.rank(0) != in.rank(1)) fail_shape(who, join("shape ", in.shape(1)), to_string(in.shape(0)));
  Shape s = in.shape(0);
  for (std::size_t i = 0; i < s.size(); ++i) s[i] = same_dim(who, "sizes", s[i], in.shape(1)[i]);
  return one_spec(in.dtype(0), std::move(s));
}

void prepare_elementwise_grad(Preparation& p, const char* kernel, GradFn<float> f32, GradFn<double> f64, double p0,
                              double p1) {
  if (p.in(0).dtype == DType::float64) {
    p.params<GradParams<double>>() = {f64, {p0, p1}};
    p.run(run_elementwise_grad<double>, kernel);
    p.elementwise();
  } else {
    p.params<GradParams<float>>() = {f32, {p0, p1}};
    p.run(run_elementwise_grad<float>, kernel);
    p.elementwise();
  }
}

// ---- moving elements
// -----------------------------------------------------------------------------------------------------

void copy_strided(const Step& step, const void* x, void* y, int rank, const std::int64_t* shape,
                  const std::int64_t* strides, std::size_t item) noexcept {
  const auto& k = *step.kernels;
  const auto f = item == 1   ? k.copy_strided_1
                 : item == 2 ? k.copy_strided_2
                 : item == 4 ? k.copy_strided_4
                             : k.copy_strided_8;
  f(x, y, rank, shape, strides);
}

void copy_broadcast(const Step& step, const View& x, const Shape& shape, std::size_t item, void* y) noexcept {
  std::int64_t sizes[16], strides[16];
  const std::size_t rank = shape.size(), extra = rank - x.rank();
  std::int64_t stride = 1;
  for (std::size_t i = rank; i-- > 0;) {
    const std::int64_t own = i < extra ? 1 : x.dim(i - extra);
    sizes[i] = shape[i].value();
    strides[i] = own == 1 ? 0 : stride;
    stride *= own;
  }
  copy_strided(step, x.data, y, static_cast<int>(rank), sizes, strides, item);
}

namespace {

struct FillParams {
  std::uint64_t bits;
  std::size_t item;
};

void run_fill(const Step& step, const Buffers& b) noexcept {
  const auto& p = step.get<FillParams>();
  const auto& k = *step.kernels;
  const auto f = p.item == 1 ? k.fill_1 : p.item == 2 ? k.fill_2 : p.item == 4 ? k.fill_4 : k.fill_8;
  f(b.out[0].data, &p.bits, b.out[0].size());
}

}  // namespace

void prepare_fill(Preparation& p, const char* who, double value) {
  FillParams& params = p.params<FillParams>();
  params.item = item_size(p.out().dtype);
  store_scalar(&params.bits, p.out().dtype, value);
  p.run(run_fill, who);
}

// ---- compositions
// ---------------------------------------------------------------------------------------------------------

namespace emit {

Value sum_to(Emitter& e, const Value& g, const Value& like) {
  const Shape &from = g.shape(), &to = like.shape();
  if (from == to) return g;
  Ints axes;
  const std::size_t extra = from.size() - to.size();
  for (std::size_t i = 0; i < from.size(); ++i)
    if (i < extra || (to[i - extra] == Dim(1) && from[i] != Dim(1))) axes.push_back(static_cast<std::int64_t>(i));
  Value summed = axes.empty() ? g : reduce_sum(e, g, axes, true);
  return summed.shape() == to ? summed : reshape(e, summed, to);
}

Value restore_axes(Emitter& e, const Value& g, const Shape& full, const SmallVector<std::size_t, 6>& axes) {
  Shape s = full;
  for (const std::size_t a : axes) s[a] = Dim(1);
  return g.shape() == s ? g : reshape(e, g, std::move(s));
}

}  // namespace emit

}  // namespace layernet
