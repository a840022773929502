// cast(x; dtype): conversion of element types; floats to integers truncate toward zero and saturate, NaN becomes 0.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct CastParams {
  int from, to;
};

struct Cast {
  DType dtype = DType::float32;
  template <class V>
  void fields(V& visit) {
    visit("dtype", dtype);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("cast", in, 1);
    return one_spec(dtype, in.shape(0));
  }
  // Between floating types only: elsewhere the function is piecewise constant.
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    if (!is_floating(call.in(0).dtype()) || !is_floating(dtype)) return one_value(Value());
    return one_value(emit::cast(e, dy[0], call.in(0).dtype()));
  }
  bool dims(const InSpecs&, const Shape* const* in, Shape* out) const {
    if (in[0] == nullptr) return false;
    *out = *in[0];
    return true;
  }
  void prepare(Preparation& p) const {
    p.params<CastParams>() = {static_cast<int>(p.in(0).dtype), static_cast<int>(dtype)};
    p.run(run, "cast");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<CastParams>();
    step.kernels->cast(b.in[0].data, p.from, b.out[0].data, p.to, b.out[0].size());
  }
};

}  // namespace

const OpDef cast_op = define_op<Cast>("cast", "x", {0, -1, true, nullptr});

Value emit::cast(Emitter& e, const Value& x, DType dtype) {
  return x.dtype() == dtype ? x : e.one(cast_op, Cast{dtype}, {x});
}

}  // namespace layernet
