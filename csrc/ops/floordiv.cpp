// floordiv(a, b) = floor(a / b), broadcast; an integer divided by 0 gives 0. Its gradient is zero.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct FloorDiv {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("floordiv", in);
    const DType t = in.dtype(0);
    if (!is_floating(t) && t != DType::int32 && t != DType::int64)
      fail_dtype("floordiv", "floats, int32 or int64", name_of(t));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values&) const {
    Values out;
    out.push_back(emit::zeros_like(e, call.in(0)));
    out.push_back(emit::zeros_like(e, call.in(1)));
    return out;
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_binary(p, "floordiv",
                   {k.binary_floordiv_f32, k.binary_floordiv_f64, k.binary_floordiv_i32, k.binary_floordiv_i64});
  }
};

}  // namespace

const OpDef floordiv_op = define_op<FloorDiv>("floordiv", "a, b");

Value emit::floordiv(Emitter& e, const Value& a, const Value& b) {
  return e.one(floordiv_op, FloorDiv{}, {a, b});
}

}  // namespace layernet
