// shape(x): the sizes of x as an int64 vector. While tracing, what follows from it alone stays known as dimensions.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct ShapeOf {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("shape", in, 1);
    return one_spec(DType::int64, Shape{Dim(static_cast<std::int64_t>(in.rank(0)))});
  }
  bool dims(const InSpecs& in, const Shape* const*, Shape* out) const {
    *out = in.shape(0);
    return true;
  }
  void prepare(Preparation& p) const { p.run(run, "shape"); }
  static void run(const Step&, const Buffers& b) noexcept {
    for (std::size_t i = 0; i < b.in[0].rank(); ++i) b.out[0].as<std::int64_t>()[i] = b.in[0].dim(i);
  }
};

}  // namespace

const OpDef shape_op = define_op<ShapeOf>("shape", "x", {0, -1, true, "sizes are integers"});

}  // namespace layernet
