// slice(x; begin, end, strides, axes): Python's x[begin:end:stride] on the listed axes, already normalised: positions
// count from 0; end is exclusive, and -1 with a negative stride means "through 0". Axes that are not listed are kept
// whole.
#include "ops/op_util.h"

namespace layernet {

extern const OpDef slice_op;
extern const OpDef slice_grad_op;

namespace {

struct SliceFields {
  Ints begin, end, strides, axes;
  template <class V>
  void fields(V& visit) {
    visit("begin", begin);
    visit("end", end);
    visit("strides", strides);
    visit("axes", axes);
  }
  void check(std::size_t rank) const {
    if (begin.size() != axes.size() || end.size() != axes.size() || strides.size() != axes.size())
      throw InvalidArgumentError(join("slice: expected begin, end and strides for each of ", axes.size(), " axes, got ",
                                      begin, ", ", end, " and ", strides, "."));
    axis_indices("slice", axes, false, rank);
    // No sum or product of such numbers in length() and sliced() leaves 64 bits.
    constexpr std::int64_t kFarthest = std::int64_t{1} << 61;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (strides[i] == 0) throw InvalidArgumentError("slice: expected a stride other than 0.");
      for (const std::int64_t v : {begin[i], end[i], strides[i]})
        if (v > kFarthest || v < -kFarthest)
          throw InvalidArgumentError(join("slice: expected positions and strides up to 2^61, got ", v, "."));
    }
  }
  std::int64_t length(std::size_t i) const {
    const std::int64_t span = strides[i] > 0 ? end[i] - begin[i] : begin[i] - end[i];
    const std::int64_t step = strides[i] > 0 ? strides[i] : -strides[i];
    return span <= 0 ? 0 : (span + step - 1) / step;
  }
  Shape sliced(const Shape& in) const {
    check(in.size());
    Shape out = in;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::size_t a = axis_index("slice", axes[i], in.size());
      const std::int64_t n = length(i);
      if (in[a].is_fixed()) {
        const std::int64_t last = begin[i] + (n - 1) * strides[i];
        if (n > 0 && (begin[i] < 0 || begin[i] >= in[a].value() || last < 0 || last >= in[a].value()))
          throw ShapeError(join("slice: expected positions inside axis ", a, " of shape ", in, ", got ", begin[i], ":",
                                end[i], "."));
      } else if (in[a].is_batch()) {
        throw GraphError(
            join("slice: expected axis ", a, " of shape ", in,
                 " to be kept whole, since its size is symbolic. Slice the other axes, or fix the batch size."));
      }
      out[a] = Dim(n);
    }
    return out;
  }
};

struct SliceParams {
  std::uint32_t item, count;
  std::int64_t begin[6], strides[6];
  std::uint8_t axes[6];
};

void fill(const SliceFields& f, std::size_t rank, std::size_t item, SliceParams& p) {
  if (f.axes.size() > 6) throw ShapeError(join("slice: expected at most 6 sliced axes, got ", f.axes.size(), "."));
  p.item = static_cast<std::uint32_t>(item);
  p.count = static_cast<std::uint32_t>(f.axes.size());
  for (std::size_t i = 0; i < f.axes.size(); ++i) {
    p.axes[i] = static_cast<std::uint8_t>(axis_index("slice", f.axes[i], rank));
    p.begin[i] = f.begin[i];
    p.strides[i] = f.strides[i];
  }
}

// Strides of the slice within `whole`, and the offset of its first element, in elements.
std::int64_t walk(const SliceParams& p, const View& whole, std::int64_t* strides) noexcept {
  std::int64_t stride = 1, offset = 0;
  for (std::size_t i = whole.rank(); i-- > 0;) {
    strides[i] = stride;
    stride *= whole.dim(i);
  }
  for (std::size_t i = 0; i < p.count; ++i) {
    offset += p.begin[i] * strides[p.axes[i]];
    strides[p.axes[i]] *= p.strides[i];
  }
  return offset;
}

void sizes(const View& v, std::int64_t* out) noexcept {
  for (std::size_t i = 0; i < v.rank(); ++i) out[i] = v.dim(i);
}

// dx: zeros with dy put where the slice was taken. Inputs dy, x (for its shape).
struct SliceGrad : SliceFields {
  Specs infer(const InSpecs& in) const {
    expect_inputs("slice_grad", in, 2);
    return one_spec(in.dtype(0), in.shape(1));
  }
  Values backward(Emitter& e, const Call&, const Values& dy) const;
  void prepare(Preparation& p) const {
    fill(*this, p.in(1).shape.size(), item_size(p.in(0).dtype), p.params<SliceParams>());
    p.run(run, "scatter_strided");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<SliceParams>();
    const View &dy = b.in[0], &dx = b.out[0];
    std::memset(dx.data, 0, dx.size() * p.item);
    if (dy.size() == 0) return;
    std::int64_t strides[16], shape[16];
    auto* to = static_cast<unsigned char*>(dx.data) + walk(p, dx, strides) * static_cast<std::int64_t>(p.item);
    sizes(dy, shape);
    const auto& k = *step.kernels;
    const auto f = p.item == 1   ? k.scatter_strided_1
                   : p.item == 2 ? k.scatter_strided_2
                   : p.item == 4 ? k.scatter_strided_4
                                 : k.scatter_strided_8;
    f(dy.data, to, static_cast<int>(dy.rank()), shape, strides);
  }
};

struct Slice : SliceFields {
  Specs infer(const InSpecs& in) const {
    expect_inputs("slice", in, 1);
    return one_spec(in.dtype(0), sliced(in.shape(0)));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    SliceGrad grad;
    static_cast<SliceFields&>(grad) = *this;
    return one_value(e.one(slice_grad_op, grad, {dy[0], call.in(0)}));
  }
  bool dims(const InSpecs&, const Shape* const* known, Shape* out) const {
    if (known[0] == nullptr || axes.size() != 1) return false;
    out->clear();
    for (std::int64_t i = 0; i < length(0); ++i)
      out->push_back((*known[0])[static_cast<std::size_t>(begin[0] + i * strides[0])]);
    return true;
  }
  void prepare(Preparation& p) const {
    fill(*this, p.in(0).shape.size(), item_size(p.in(0).dtype), p.params<SliceParams>());
    p.run(run, "copy_strided");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<SliceParams>();
    const View &x = b.in[0], &y = b.out[0];
    if (y.size() == 0) return;
    std::int64_t strides[16], shape[16];
    const auto* from =
        static_cast<const unsigned char*>(x.data) + walk(p, x, strides) * static_cast<std::int64_t>(p.item);
    sizes(y, shape);
    copy_strided(step, from, y.data, static_cast<int>(y.rank()), shape, strides, p.item);
  }
};

Values SliceGrad::backward(Emitter& e, const Call&, const Values& dy) const {
  Slice again;
  static_cast<SliceFields&>(again) = *this;
  Values out;
  out.push_back(e.one(slice_op, again, {dy[0]}));
  out.push_back(Value());
  return out;
}

}  // namespace

const OpDef slice_grad_op = define_op<SliceGrad>("slice_grad", "dy, x", {0, -1, true, nullptr});
const OpDef slice_op = define_op<Slice>("slice", "x", {0, -1, true, nullptr});

Value emit::slice_axis(Emitter& e, const Value& x, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  Slice op;
  op.begin = {begin};
  op.end = {end};
  op.strides = {1};
  op.axes = {axis};
  return e.one(slice_op, op, {x});
}

}  // namespace layernet
