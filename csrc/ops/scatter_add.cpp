// scatter_add(x, indices, updates): x with updates[i] added to row indices[i]; repeated indices add up, in order.
// updates has the axes of `indices`, then those of a row. What an index outside would add is dropped, see indices.h.
#include "ops/indices.h"

namespace layernet {

namespace {

struct ScatterParams {
  bool narrow;
};

struct ScatterAdd {
  bool couples_rows(const InSpecs&) const { return true; }
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("scatter_add", in, 3);
    const DType t = in.dtype(0);
    if (!is_floating(t) && t != DType::int32 && t != DType::int64)
      fail_dtype("scatter_add", "a floating type, int32 or int64", name_of(t));
    expect_index("scatter_add", in.dtype(1));
    expect_same_dtype("scatter_add", t, in.dtype(2));
    expect_min_rank("scatter_add", in.shape(0), 1);
    const Shape &x = in.shape(0), &updates = in.shape(2);
    Shape want = in.shape(1);
    for (std::size_t i = 1; i < x.size(); ++i) want.push_back(x[i]);
    if (updates.size() != want.size())
      fail_shape("scatter_add", join("updates of shape ", want), join("shape ", updates));
    for (std::size_t i = 0; i < want.size(); ++i)
      same_dim("scatter_add", "sizes of indices, rows and updates", want[i], updates[i]);
    return one_spec(t, x);
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out(3);
    out[0] = dy[0];
    if (call.wants(2)) out[2] = emit::gather(e, dy[0], call.in(1), 0, true);
    return out;
  }
  void prepare(Preparation& p) const {
    p.params<ScatterParams>() = {p.in(1).dtype == DType::int32};
    p.scratch(element_count(p.in(1).shape, "scatter_add"), sizeof(std::int64_t));
    switch (p.in(0).dtype) {
      case DType::float64:
        return p.run(run<double>, "scatter_add_rows");
      case DType::int32:
        return p.run(run<std::int32_t>, "scatter_add_rows");
      case DType::int64:
        return p.run(run<std::int64_t>, "scatter_add_rows");
      default:
        return p.run(run<float>, "scatter_add_rows");
    }
  }
  template <class T>
  static auto kernel(const kernels::KernelTable& k) noexcept {
    if constexpr (std::is_same_v<T, std::int32_t>)
      return k.scatter_add_rows_i32;
    else if constexpr (std::is_same_v<T, std::int64_t>)
      return k.scatter_add_rows_i64;
    else
      return LN_PICK(T, k, scatter_add_rows);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const View &x = b.in[0], &updates = b.in[2];
    T* y = b.out[0].as<T>();
    if (y != x.data) std::memcpy(y, x.data, x.size() * sizeof(T));
    std::size_t row = 1;
    for (std::size_t i = 1; i < x.rank(); ++i) row *= static_cast<std::size_t>(x.dim(i));
    auto* index = static_cast<std::int64_t*>(b.scratch);
    const std::size_t count = b.in[1].size();
    const std::size_t outside = normal_indices(b.in[1], step.get<ScatterParams>().narrow, x.dim(0), true, index);
    const auto scatter = kernel<T>(*step.kernels);
    if (outside == 0) return scatter(y, index, updates.as<T>(), count, row);
    for (std::size_t i = 0; i < count; ++i)
      if (index[i] >= 0) scatter(y, index + i, updates.as<T>() + i * row, 1, row);
  }
};

}  // namespace

const OpDef scatter_add_op = define_op<ScatterAdd>("scatter_add", "x, indices, updates");

}  // namespace layernet
