// transpose(x; perm): axis i of the output is axis perm[i] of x; an empty perm reverses the axes.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct TransposeParams {
  std::uint8_t rank, item;
  std::uint8_t perm[kMaxRank];
};

struct Transpose {
  Ints perm;
  template <class V>
  void fields(V& visit) {
    visit("perm", perm);
  }
  SmallVector<std::size_t, 6> order(std::size_t rank) const {
    SmallVector<std::size_t, 6> out;
    if (perm.empty()) {
      for (std::size_t i = rank; i-- > 0;) out.push_back(i);
      return out;
    }
    if (perm.size() != rank)
      throw ShapeError(join("transpose: expected a permutation of ", rank, " axes, got ", perm, "."));
    SmallVector<bool, 8> seen(rank, false);
    for (const std::int64_t a : perm) {
      const std::size_t i = axis_index("transpose", a, rank);
      if (seen[i]) throw ShapeError(join("transpose: expected a permutation of ", rank, " axes, got ", perm, "."));
      seen[i] = true;
      out.push_back(i);
    }
    return out;
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("transpose", in, 1);
    Shape s;
    for (const std::size_t a : order(in.rank(0))) s.push_back(in.shape(0)[a]);
    return one_spec(in.dtype(0), std::move(s));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const auto forward = order(call.in(0).rank());
    Ints inverse(forward.size(), 0);
    for (std::size_t i = 0; i < forward.size(); ++i) inverse[forward[i]] = static_cast<std::int64_t>(i);
    return one_value(emit::transpose(e, dy[0], inverse));
  }
  void prepare(Preparation& p) const {
    auto& params = p.params<TransposeParams>();
    const auto axes = order(p.in(0).shape.size());
    params.rank = static_cast<std::uint8_t>(axes.size());
    params.item = static_cast<std::uint8_t>(item_size(p.in(0).dtype));
    for (std::size_t i = 0; i < axes.size() && i < kMaxRank; ++i) params.perm[i] = static_cast<std::uint8_t>(axes[i]);
    p.run(run, "copy_strided");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<TransposeParams>();
    const View& x = b.in[0];
    std::int64_t own[16], shape[16], strides[16], stride = 1;
    for (std::size_t i = p.rank; i-- > 0;) {
      own[i] = stride;
      stride *= x.dim(i);
    }
    for (std::size_t i = 0; i < p.rank; ++i) {
      shape[i] = x.dim(p.perm[i]);
      strides[i] = own[p.perm[i]];
    }
    copy_strided(step, x.data, b.out[0].data, p.rank, shape, strides, p.item);
  }
};

}  // namespace

const OpDef transpose_op = define_op<Transpose>("transpose", "x", {0, -1, true, nullptr});

Value emit::transpose(Emitter& e, const Value& x, const Ints& perm) {
  return e.one(transpose_op, Transpose{perm}, {x});
}

}  // namespace layernet
