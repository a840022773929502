// concat([xs]; axis): inputs side by side along one axis; their other sizes are equal.
#include "ops/op_util.h"

namespace layernet {

extern const OpDef concat_op;

namespace {

struct ConcatParams {
  std::uint32_t axis, count, item;
};

// Bytes of one input (or output) below the outer axes, and the number of such runs.
std::size_t run_bytes(const View& x, std::size_t axis, std::size_t item) noexcept {
  for (std::size_t i = axis; i < x.rank(); ++i) item *= static_cast<std::size_t>(x.dim(i));
  return item;
}
std::size_t runs(const View& x, std::size_t axis) noexcept {
  std::size_t n = 1;
  for (std::size_t i = 0; i < axis; ++i) n *= static_cast<std::size_t>(x.dim(i));
  return n;
}

// The parts of dy that belong to each x: inputs dy, xs...; outputs like xs.
struct ConcatGrad {
  std::int64_t axis = 0;
  template <class V>
  void fields(V& visit) {
    visit("axis", axis);
  }
  Specs infer(const InSpecs& in) const {
    Specs out;
    for (std::size_t i = 1; i < in.size(); ++i) out.emplace_back(in.dtype(0), in.shape(i));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out(call.inputs->size());
    Values parts;
    for (std::size_t i = 0; i < dy.size(); ++i) parts.push_back(dy[i] ? dy[i] : emit::zeros_like(e, call.in(i + 1)));
    out[0] = emit::concat(e, std::move(parts), axis);
    return out;
  }
  void prepare(Preparation& p) const {
    p.params<ConcatParams>() = {static_cast<std::uint32_t>(axis_index("concat", axis, p.in(0).shape.size())),
                                static_cast<std::uint32_t>(p.outs().size()),
                                static_cast<std::uint32_t>(item_size(p.in(0).dtype))};
    p.run(run, "concat_grad");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<ConcatParams>();
    const auto* from = static_cast<const unsigned char*>(b.in[0].data);
    const std::size_t whole = run_bytes(b.in[0], p.axis, p.item), count = runs(b.in[0], p.axis);
    for (std::size_t i = 0; i < p.count; ++i) {
      const std::size_t part = run_bytes(b.out[i], p.axis, p.item);
      auto* to = static_cast<unsigned char*>(b.out[i].data);
      if (part != 0)
        for (std::size_t r = 0; r < count; ++r) std::memcpy(to + r * part, from + r * whole, part);
      from += part;
    }
  }
};

struct Concat {
  std::int64_t axis = 0;
  template <class V>
  void fields(V& visit) {
    visit("axis", axis);
  }
  Specs infer(const InSpecs& in) const {
    if (in.size() == 0) throw InvalidArgumentError("concat: expected at least one input, got none.");
    Shape out = in.shape(0);
    const std::size_t a = axis_index("concat", axis, out.size());
    for (std::size_t i = 1; i < in.size(); ++i) {
      expect_same_dtype("concat", in.dtype(0), in.dtype(i));
      expect_rank("concat", in.shape(i), out.size());
      for (std::size_t j = 0; j < out.size(); ++j)
        out[j] = j == a ? layernet::add(out[j], in.shape(i)[j], "concat")
                        : same_dim("concat", "sizes outside the axis", out[j], in.shape(i)[j]);
    }
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  bool dims(const InSpecs& in, const Shape* const* known, Shape* out) const {
    out->clear();
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (known[i] == nullptr) return false;
      for (const Dim d : *known[i]) out->push_back(d);
    }
    return true;
  }
  void prepare(Preparation& p) const {
    p.params<ConcatParams>() = {static_cast<std::uint32_t>(axis_index("concat", axis, p.in(0).shape.size())),
                                static_cast<std::uint32_t>(p.in().size()),
                                static_cast<std::uint32_t>(item_size(p.in(0).dtype))};
    p.run(run, "concat");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<ConcatParams>();
    auto* to = static_cast<unsigned char*>(b.out[0].data);
    const std::size_t whole = run_bytes(b.out[0], p.axis, p.item), count = runs(b.out[0], p.axis);
    for (std::size_t i = 0; i < p.count; ++i) {
      const std::size_t part = run_bytes(b.in[i], p.axis, p.item);
      const auto* from = static_cast<const unsigned char*>(b.in[i].data);
      if (part != 0)
        for (std::size_t r = 0; r < count; ++r) std::memcpy(to + r * whole, from + r * part, part);
      to += part;
    }
  }
};

}  // namespace

const OpDef concat_grad_op = define_op<ConcatGrad>("concat_grad", "dy, [xs]", {0, -1, true, nullptr});
const OpDef concat_op = define_op<Concat>("concat", "[xs]", {0, -1, true, nullptr});

namespace {

Values Concat::backward(Emitter& e, const Call& call, const Values& dy) const {
  Values inputs;
  inputs.push_back(dy[0]);
  for (const Value& x : *call.inputs) inputs.push_back(x);
  const ConcatGrad op{axis};
  return e.emit(concat_grad_op, &op, std::move(inputs), Targets());
}

}  // namespace

Value emit::concat(Emitter& e, Values xs, std::int64_t axis) {
  return e.one(concat_op, Concat{axis}, std::move(xs));
}

}  // namespace layernet
