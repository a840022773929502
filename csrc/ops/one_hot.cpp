// one_hot(indices; depth, on, off, dtype): vectors of length depth along a new last axis, `on` at the index, `off`
// elsewhere. An index outside [0, depth) sets nothing.
#include "core/convert.h"
#include "ops/op_util.h"

namespace layernet {

namespace {

struct OneHotParams {
  std::int64_t depth;
  std::size_t item;
  bool narrow;
  alignas(8) unsigned char on[8], off[8];
};

struct OneHot {
  std::int64_t depth = 0;
  double on = 1.0, off = 0.0;
  DType dtype = DType::float32;
  template <class V>
  void fields(V& visit) {
    visit("depth", depth);
    visit("on", on);
    visit("off", off);
    visit("dtype", dtype);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("one_hot", in, 1);
    expect_index("one_hot", in.dtype(0));
    if (depth < 0) throw InvalidArgumentError(join("one_hot: expected a depth of 0 or more, got ", depth, "."));
    Shape out = in.shape(0);
    out.push_back(Dim(depth));
    return one_spec(dtype, std::move(out));
  }
  void prepare(Preparation& p) const {
    OneHotParams& params = p.params<OneHotParams>();
    params.depth = depth;
    params.item = item_size(dtype);
    params.narrow = p.in(0).dtype == DType::int32;
    store_scalar(params.on, dtype, on);
    store_scalar(params.off, dtype, off);
    p.run(run, "fill");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<OneHotParams>();
    const auto& k = *step.kernels;
    auto* y = static_cast<unsigned char*>(b.out[0].data);
    (p.item == 1 ? k.fill_1 : p.item == 2 ? k.fill_2 : p.item == 4 ? k.fill_4 : k.fill_8)(y, p.off, b.out[0].size());
    const std::size_t row = static_cast<std::size_t>(p.depth) * p.item;
    for (std::size_t i = 0; i < b.in[0].size(); ++i) {
      const std::int64_t at = p.narrow ? b.in[0].as<std::int32_t>()[i] : b.in[0].as<std::int64_t>()[i];
      if (at >= 0 && at < p.depth) std::memcpy(y + i * row + static_cast<std::size_t>(at) * p.item, p.on, p.item);
    }
  }
};

}  // namespace

const OpDef one_hot_op = define_op<OneHot>("one_hot", "indices", {0, -1, true, "an index is an integer"});

}  // namespace layernet
