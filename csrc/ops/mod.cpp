// mod(a, b) = a - b floor(a / b), broadcast, with the sign of b as in Python. da = dy, db = -dy floor(a / b).
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Mod {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    Specs out = infer_binary("mod", in);
    const DType t = in.dtype(0);
    if (!is_floating(t) && t != DType::int32 && t != DType::int64)
      fail_dtype("mod", "floats, int32 or int64", name_of(t));
    return out;
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    Values out(2);
    if (call.wants(0)) out[0] = emit::sum_to(e, dy[0], call.in(0));
    if (call.wants(1)) {
      const Value quotient = emit::floordiv(e, call.in(0), call.in(1));
      out[1] = emit::negative(e, emit::sum_to(e, emit::multiply(e, dy[0], quotient), call.in(1)));
    }
    return out;
  }
  void prepare(Preparation& p) const {
    const auto& k = p.kernels();
    prepare_binary(p, "mod", {k.binary_mod_f32, k.binary_mod_f64, k.binary_mod_i32, k.binary_mod_i64});
  }
};

}  // namespace

const OpDef mod_op = define_op<Mod>("mod", "a, b");

}  // namespace layernet
