// tile(x; multiples): x repeated multiples[i] times along axis i.
#include "ops/op_util.h"

namespace layernet {

namespace {

constexpr std::size_t kMaxRank = 6;  // twice as many axes are walked

struct TileParams {
  std::size_t item;
  std::int64_t multiples[kMaxRank];
};

struct Tile {
  Ints multiples;
  template <class V>
  void fields(V& visit) {
    visit("multiples", multiples);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("tile", in, 1);
    Shape out = in.shape(0);
    if (out.size() > kMaxRank)
      throw ShapeError(join("tile: expected at most ", kMaxRank, " axes, got ", out.size(), "."));
    if (multiples.size() != out.size())
      throw InvalidArgumentError(
          join("tile: expected one multiple for each of ", out.size(), " axes, got ", multiples, "."));
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (multiples[i] < 0)
        throw InvalidArgumentError(join("tile: expected multiples of 0 or more, got ", multiples, "."));
      out[i] = layernet::multiply(out[i], Dim(multiples[i]), "tile");
    }
    return one_spec(in.dtype(0), std::move(out));
  }
  // dy as [m0, n0, m1, n1, ...], summed over the m.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Shape& x = call.in(0).shape();
    for (std::size_t i = 0; i < x.size(); ++i)
      if (multiples[i] == 0) return one_value(emit::zeros_like(e, call.in(0)));
    Shape split;
    Ints repeats;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (multiples[i] != 1) {
        repeats.push_back(static_cast<std::int64_t>(split.size()));
        split.push_back(Dim(multiples[i]));
      }
      split.push_back(x[i]);
    }
    if (repeats.empty()) return one_value(dy[0]);
    return one_value(emit::reduce_sum(e, emit::reshape(e, dy[0], std::move(split)), repeats, false));
  }
  void prepare(Preparation& p) const {
    TileParams& params = p.params<TileParams>();
    params.item = item_size(p.in(0).dtype);
    for (std::size_t i = 0; i < multiples.size(); ++i) params.multiples[i] = multiples[i];
    p.run(run, "copy_strided");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<TileParams>();
    const View& x = b.in[0];
    if (b.out[0].size() == 0) return;
    std::int64_t shape[2 * kMaxRank], strides[2 * kMaxRank], stride = 1;
    for (std::size_t i = x.rank(); i-- > 0;) {
      shape[2 * i] = p.multiples[i];
      strides[2 * i] = 0;
      shape[2 * i + 1] = x.dim(i);
      strides[2 * i + 1] = stride;
      stride *= x.dim(i);
    }
    copy_strided(step, x.data, b.out[0].data, static_cast<int>(2 * x.rank()), shape, strides, p.item);
  }
};

}  // namespace

const OpDef tile_op = define_op<Tile>("tile", "x", {0, -1, true, nullptr});

}  // namespace layernet
