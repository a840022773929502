// stack([xs]; axis): tensors of one shape side by side along a new axis.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct StackParams {
  std::size_t axis, item, count;
};

struct StackFields {
  std::int64_t axis = 0;
  template <class V>
  void fields(V& visit) {
    visit("axis", axis);
  }
  void set(Preparation& p, std::size_t rank, std::size_t count, Step::Run run, const char* kernel) const {
    p.params<StackParams>() = {axis_index("stack", axis, rank), item_size(p.in(0).dtype), count};
    p.run(run, kernel);
  }
};

// Before the new axis `runs` blocks of `part` bytes each in every x.
struct StackLayout {
  std::size_t runs = 1, part;
  StackLayout(const View& x, const StackParams& p) noexcept : part(p.item) {
    for (std::size_t i = 0; i < x.rank(); ++i) (i < p.axis ? runs : part) *= static_cast<std::size_t>(x.dim(i));
  }
};

// The parts of dy that belong to each x: as many outputs as dy has along the axis.
struct StackGrad : StackFields {
  Specs infer(const InSpecs& in) const {
    expect_inputs("stack_grad", in, 1);
    const std::size_t a = axis_index("stack_grad", axis, in.rank(0));
    const Dim count = in.shape(0)[a];
    if (!count.is_fixed())
      throw GraphError(join("stack_grad: expected axis ", a, " of a known size, got shape ", in.shape(0), "."));
    Shape part = in.shape(0);
    part.erase_at(a);
    Specs out;
    for (std::int64_t i = 0; i < count.value(); ++i) out.emplace_back(in.dtype(0), part);
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const;
  void prepare(Preparation& p) const { set(p, p.in(0).shape.size(), p.outs().size(), run, "stack_grad"); }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<StackParams>();
    const auto* from = static_cast<const unsigned char*>(b.in[0].data);
    for (std::size_t i = 0; i < p.count; ++i) {
      const StackLayout l(b.out[i], p);
      auto* to = static_cast<unsigned char*>(b.out[i].data);
      if (l.part != 0)
        for (std::size_t r = 0; r < l.runs; ++r)
          std::memcpy(to + r * l.part, from + (r * p.count + i) * l.part, l.part);
    }
  }
};

struct Stack : StackFields {
  Specs infer(const InSpecs& in) const {
    if (in.size() == 0) throw InvalidArgumentError("stack: expected at least one input, got none.");
    Shape out = in.shape(0);
    for (std::size_t i = 1; i < in.size(); ++i) {
      expect_same_dtype("stack", in.dtype(0), in.dtype(i));
      const Shape& s = in.shape(i);
      bool equal = s.size() == out.size();
      for (std::size_t j = 0; equal && j < out.size(); ++j) {
        equal = out[j] == s[j] || out[j].is_unknown() || s[j].is_unknown();
        if (out[j].is_unknown()) out[j] = s[j];
      }
      if (!equal) throw ShapeError(join("stack: expected inputs of one shape, got ", in.shape(0), " and ", s, "."));
    }
    out.insert_at(axis_index("stack", axis, out.size() + 1), Dim(static_cast<std::int64_t>(in.size())));
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call&, const Values& dy) const {
    const StackGrad grad{{axis}};
    return e.emit(stack_grad_op, &grad, Values{dy[0]}, Targets());
  }
  void prepare(Preparation& p) const { set(p, p.out().shape.size(), p.in().size(), run, "stack"); }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<StackParams>();
    auto* to = static_cast<unsigned char*>(b.out[0].data);
    for (std::size_t i = 0; i < p.count; ++i) {
      const StackLayout l(b.in[i], p);
      const auto* from = static_cast<const unsigned char*>(b.in[i].data);
      if (l.part != 0)
        for (std::size_t r = 0; r < l.runs; ++r)
          std::memcpy(to + (r * p.count + i) * l.part, from + r * l.part, l.part);
    }
  }
};

Values StackGrad::backward(Emitter& e, const Call& call, const Values& dy) const {
  Values parts;
  for (std::size_t i = 0; i < dy.size(); ++i) parts.push_back(dy[i] ? dy[i] : emit::zeros_like(e, call.out(i)));
  const Stack again{{axis}};
  return e.emit(stack_op, &again, std::move(parts), Targets());
}

}  // namespace

const OpDef stack_op = define_op<Stack>("stack", "[xs]", {0, -1, true, nullptr});
const OpDef stack_grad_op = define_op<StackGrad>("stack_grad", "dy", {0, -1, true, nullptr});

}  // namespace layernet
