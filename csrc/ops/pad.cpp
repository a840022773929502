// pad(x; before, after, value): x with that many elements of `value` put before and after it along each axis.
#include "core/convert.h"
#include "ops/op_util.h"

namespace layernet {

namespace {

constexpr std::size_t kMaxRank = 12;

struct PadParams {
  std::uint32_t item;
  alignas(8) unsigned char value[8];
  std::int64_t before[kMaxRank];
};

struct PadFields {
  Ints before, after;
  void check(const char* who, std::size_t rank) const {
    if (rank > kMaxRank) throw ShapeError(join(who, ": expected at most ", kMaxRank, " axes, got ", rank, "."));
    if (before.size() != rank || after.size() != rank)
      throw InvalidArgumentError(
          join(who, ": expected one size before and after each of ", rank, " axes, got ", before, " and ", after, "."));
    for (std::size_t i = 0; i < rank; ++i)
      if (before[i] < 0 || after[i] < 0)
        throw InvalidArgumentError(
            join(who, ": expected sizes of 0 or more, got ", before, " and ", after, ". Use slice to cut."));
  }
};

// Where the inner array lies within the padded one, in elements, and how it is walked.
struct Inner {
  std::int64_t shape[kMaxRank], strides[kMaxRank], offset = 0;
  Inner(const View& inner, const View& padded, const std::int64_t* before) noexcept {
    std::int64_t stride = 1;
    for (std::size_t i = padded.rank(); i-- > 0;) {
      shape[i] = inner.dim(i);
      strides[i] = stride;
      offset += before[i] * stride;
      stride *= padded.dim(i);
    }
  }
};

// The inner part of dy.
struct PadGrad : PadFields {
  template <class V>
  void fields(V& visit) {
    visit("before", before);
    visit("after", after);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("pad_grad", in, 1);
    check("pad_grad", in.rank(0));
    Shape out = in.shape(0);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::int64_t pads = before[i] + after[i];
      if (pads != 0 && out[i].is_fixed()) {
        if (pads > out[i].value())
          throw ShapeError(join("pad_grad: expected axis ", i, " to hold ", pads, " or more, got ", in.shape(0), "."));
        out[i] = Dim(out[i].value() - pads);
      } else if (pads != 0 && out[i].is_batch()) {
        layernet::add(out[i], Dim(pads), "pad_grad");  // raises: not a multiple of the batch
      }
    }
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  void prepare(Preparation& p) const {
    PadParams& params = p.params<PadParams>();
    params.item = static_cast<std::uint32_t>(item_size(p.in(0).dtype));
    for (std::size_t i = 0; i < before.size(); ++i) params.before[i] = before[i];
    p.run(run, "copy_strided");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<PadParams>();
    const View &dy = b.in[0], &dx = b.out[0];
    if (dx.size() == 0) return;
    const Inner at(dx, dy, p.before);
    copy_strided(step, static_cast<const unsigned char*>(dy.data) + at.offset * p.item, dx.data,
                 static_cast<int>(dx.rank()), at.shape, at.strides, p.item);
  }
};

struct Pad : PadFields {
  double value = 0.0;
  template <class V>
  void fields(V& visit) {
    visit("before", before);
    visit("after", after);
    visit("value", value);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("pad", in, 1);
    check("pad", in.rank(0));
    Shape out = in.shape(0);
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = layernet::add(layernet::add(out[i], Dim(before[i]), "pad"), Dim(after[i]), "pad");
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call&, const Values& dy) const {
    PadGrad grad;
    static_cast<PadFields&>(grad) = *this;
    return one_value(e.one(pad_grad_op, grad, {dy[0]}));
  }
  void prepare(Preparation& p) const {
    PadParams& params = p.params<PadParams>();
    params.item = static_cast<std::uint32_t>(item_size(p.in(0).dtype));
    store_scalar(params.value, p.in(0).dtype, value);
    for (std::size_t i = 0; i < before.size(); ++i) params.before[i] = before[i];
    p.run(run, "scatter_strided");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<PadParams>();
    const auto& k = *step.kernels;
    const View &x = b.in[0], &y = b.out[0];
    (p.item == 1 ? k.fill_1 : p.item == 2 ? k.fill_2 : p.item == 4 ? k.fill_4 : k.fill_8)(y.data, p.value, y.size());
    if (x.size() == 0) return;
    const Inner at(x, y, p.before);
    const auto scatter = p.item == 1   ? k.scatter_strided_1
                         : p.item == 2 ? k.scatter_strided_2
                         : p.item == 4 ? k.scatter_strided_4
                                       : k.scatter_strided_8;
    scatter(x.data, static_cast<unsigned char*>(y.data) + at.offset * p.item, static_cast<int>(x.rank()), at.shape,
            at.strides);
  }
};

Values PadGrad::backward(Emitter& e, const Call&, const Values& dy) const {
  Pad again;
  static_cast<PadFields&>(again) = *this;
  return one_value(e.one(pad_op, again, {dy[0]}));
}

}  // namespace

const OpDef pad_op = define_op<Pad>("pad", "x", {0, -1, true, nullptr});
const OpDef pad_grad_op = define_op<PadGrad>("pad_grad", "dy", {0, -1, true, nullptr});

}  // namespace layernet
