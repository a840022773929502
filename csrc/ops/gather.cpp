// gather(x, indices; axis, zeros): slices of x along one axis, picked by index; the axis becomes the axes of `indices`.
// An index outside the axis reads NaN (0 for integers), see indices.h; or 0 with `zeros`, which is the transpose of
// adding nothing there.
#include "ops/indices.h"

namespace layernet {

namespace {

struct GatherParams {
  std::uint32_t axis, item;
  bool narrow, nan;
};

struct GatherFields {
  std::int64_t axis = 0;
  template <class V>
  void fields(V& visit) {
    visit("axis", axis);
  }
  // Rows picked by index; a table that hangs on no batch may be read by every row.
  bool couples_rows(const InSpecs& in) const {
    return !in.shape(0).empty() && !in.shape(0)[0].is_fixed() && axis_index("gather", axis, in.rank(0)) == 0;
  }
};

// x as [outer, size, row], output as [outer, count, row].
struct GatherLayout {
  std::size_t outer = 1, size = 1, row = 1;
  GatherLayout(const View& x, std::size_t axis) noexcept {
    for (std::size_t i = 0; i < x.rank(); ++i)
      (i < axis ? outer : i == axis ? size : row) *= static_cast<std::size_t>(x.dim(i));
  }
};

// dx = zeros with dy added where it was read: inputs dy, x (for its shape), indices.
struct GatherGrad : GatherFields {
  bool couples_rows(const InSpecs& in) const { return axis_index("gather_grad", axis, in.rank(1)) == 0; }
  Specs infer(const InSpecs& in) const {
    expect_inputs("gather_grad", in, 3);
    expect_index("gather_grad", in.dtype(2));
    return one_spec(in.dtype(0), in.shape(1));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out(3);
    out[0] = emit::gather(e, dy[0], call.in(2), axis, true);
    return out;
  }
  void prepare(Preparation& p) const {
    p.params<GatherParams>() = {static_cast<std::uint32_t>(axis_index("gather_grad", axis, p.in(1).shape.size())),
                                static_cast<std::uint32_t>(item_size(p.in(0).dtype)), p.in(2).dtype == DType::int32,
                                true};
    p.scratch(element_count(p.in(2).shape, "gather_grad"), sizeof(std::int64_t));
    p.run(p.in(0).dtype == DType::float64 ? run<double> : run<float>, "scatter_add_rows");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<GatherParams>();
    const GatherLayout l(b.out[0], p.axis);
    auto* index = static_cast<std::int64_t*>(b.scratch);
    std::size_t count = b.in[2].size();
    const std::size_t outside = normal_indices(b.in[2], p.narrow, static_cast<std::int64_t>(l.size), true, index);
    const auto scatter = LN_PICK(T, *step.kernels, scatter_add_rows);
    T* dx = b.out[0].as<T>();
    const T* dy = b.in[0].as<T>();
    std::memset(dx, 0, b.out[0].size() * sizeof(T));
    for (std::size_t o = 0; o < l.outer; ++o) {
      T* to = dx + o * l.size * l.row;
      const T* from = dy + o * count * l.row;
      if (outside == 0) {
        scatter(to, index, from, count, l.row);
        continue;
      }
      for (std::size_t i = 0; i < count; ++i)
        if (index[i] >= 0) scatter(to, index + i, from + i * l.row, 1, l.row);
    }
  }
};

struct Gather : GatherFields {
  bool zeros = false;
  template <class V>
  void fields(V& visit) {
    GatherFields::fields(visit);
    visit("zeros", zeros);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("gather", in, 2);
    expect_index("gather", in.dtype(1));
    const Shape &x = in.shape(0), &index = in.shape(1);
    const std::size_t a = axis_index("gather", axis, x.size());
    Shape out(x.begin(), x.begin() + a);
    for (const Dim d : index) out.push_back(d);
    for (std::size_t i = a + 1; i < x.size(); ++i) out.push_back(x[i]);
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const std::int64_t from_front = static_cast<std::int64_t>(axis_index("gather", axis, call.in(0).rank()));
    Values out(2);
    out[0] = e.one(gather_grad_op, GatherGrad{{from_front}}, {dy[0], call.in(0), call.in(1)});
    return out;
  }
  // dy itself, the axes of the indices made one.
  bool row_gradient(Emitter& e, const Call& call, const Values& dy, Value* rows, Value* numbers) const {
    const Value &x = call.in(0), &index = call.in(1);
    if (axis_index("gather", axis, x.rank()) != 0) return false;
    const Dim count = element_count(index.shape(), "gather");
    if (count.is_unknown()) return false;
    Shape shape{count};
    for (std::size_t i = 1; i < x.rank(); ++i) shape.push_back(x.shape()[i]);
    *rows = emit::reshape(e, dy[0], std::move(shape));
    *numbers = emit::reshape(e, index, Shape{count});
    return true;
  }
  void prepare(Preparation& p) const {
    p.params<GatherParams>() = {static_cast<std::uint32_t>(axis_index("gather", axis, p.in(0).shape.size())),
                                static_cast<std::uint32_t>(item_size(p.in(0).dtype)), p.in(1).dtype == DType::int32,
                                is_floating(p.in(0).dtype) && !zeros};
    p.scratch(element_count(p.in(1).shape, "gather"), sizeof(std::int64_t));
    p.run(run, "gather_rows");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<GatherParams>();
    const GatherLayout l(b.in[0], p.axis);
    auto* index = static_cast<std::int64_t*>(b.scratch);
    const std::size_t count = b.in[1].size(), row = l.row * p.item;
    const std::size_t outside = normal_indices(b.in[1], p.narrow, static_cast<std::int64_t>(l.size), true, index);
    if (row == 0) return;
    const auto* x = static_cast<const unsigned char*>(b.in[0].data);
    auto* y = static_cast<unsigned char*>(b.out[0].data);
    for (std::size_t o = 0; o < l.outer; ++o) {
      const unsigned char* from = x + o * l.size * row;
      unsigned char* to = y + o * count * row;
      if (outside == 0) {
        step.kernels->gather_rows(from, index, to, count, row);
        continue;
      }
      for (std::size_t i = 0; i < count; ++i, to += row) {
        if (index[i] >= 0)
          std::memcpy(to, from + static_cast<std::size_t>(index[i]) * row, row);
        else
          std::memset(to, p.nan ? 0xFF : 0, row);  // all bits set is a NaN in every floating type
      }
    }
  }
};

}  // namespace

const OpDef gather_op = define_op<Gather>("gather", "x, indices", {0, -1, true, nullptr});
const OpDef gather_grad_op = define_op<GatherGrad>("gather_grad", "dy, x, indices");

Value emit::gather(Emitter& e, const Value& x, const Value& indices, std::int64_t axis, bool zeros) {
  return e.one(gather_op, Gather{{axis}, zeros}, {x, indices});
}

}  // namespace layernet
