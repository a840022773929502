// split(x; sizes, axis): consecutive parts of x along one axis, of these sizes; together they are x.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct SplitParams {
  std::size_t axis, item, count;
};

struct Split {
  Ints sizes;
  std::int64_t axis = 0;
  template <class V>
  void fields(V& visit) {
    visit("sizes", sizes);
    visit("axis", axis);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("split", in, 1);
    const Shape& x = in.shape(0);
    const std::size_t a = axis_index("split", axis, x.size());
    if (sizes.empty()) throw InvalidArgumentError("split: expected at least one size, got none.");
    std::int64_t total = 0;
    for (const std::int64_t s : sizes) {
      if (s < 0) throw InvalidArgumentError(join("split: expected sizes of 0 or more, got ", sizes, "."));
      total += s;
    }
    if (x[a].is_batch())
      throw GraphError(join("split: expected axis ", a, " of a known size, got shape ", x,
                            ". Split another axis, or fix the batch size."));
    if (x[a].is_fixed() && x[a].value() != total)
      throw ShapeError(
          join("split: expected sizes that sum to ", x[a], ", the size of axis ", a, " of ", x, ", got ", sizes, "."));
    Specs out;
    for (const std::int64_t s : sizes) {
      out.emplace_back(in.dtype(0), x);
      out.back().shape[a] = Dim(s);
    }
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values parts;
    for (std::size_t i = 0; i < dy.size(); ++i) parts.push_back(dy[i] ? dy[i] : emit::zeros_like(e, call.out(i)));
    return one_value(emit::concat(e, std::move(parts), axis));
  }
  void prepare(Preparation& p) const {
    p.params<SplitParams>() = {axis_index("split", axis, p.in(0).shape.size()), item_size(p.in(0).dtype),
                               p.outs().size()};
    p.run(run, "split");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<SplitParams>();
    const View& x = b.in[0];
    std::size_t runs = 1, row = p.item;
    for (std::size_t i = 0; i < p.axis; ++i) runs *= static_cast<std::size_t>(x.dim(i));
    for (std::size_t i = p.axis + 1; i < x.rank(); ++i) row *= static_cast<std::size_t>(x.dim(i));
    const std::size_t whole = row * static_cast<std::size_t>(x.dim(p.axis));
    const auto* from = static_cast<const unsigned char*>(x.data);
    for (std::size_t i = 0; i < p.count; ++i) {
      const std::size_t part = row * static_cast<std::size_t>(b.out[i].dim(p.axis));
      auto* to = static_cast<unsigned char*>(b.out[i].data);
      if (part != 0)
        for (std::size_t r = 0; r < runs; ++r) std::memcpy(to + r * part, from + r * whole, part);
      from += part;
    }
  }
};

}  // namespace

const OpDef split_op = define_op<Split>("split", "x", {0, -1, true, nullptr});

}  // namespace layernet
