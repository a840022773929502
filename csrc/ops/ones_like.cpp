// ones_like(x): ones in the shape and type of x.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct OnesLike {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("ones_like", in, 1);
    return one_spec(in.dtype(0), in.shape(0));
  }
  Values backward(Emitter&, const Call&, const Values&) const { return one_value(Value()); }
  void prepare(Preparation& p) const { prepare_fill(p, "ones_like", 1); }
};

}  // namespace

const OpDef ones_like_op = define_op<OnesLike>("ones_like", "x", {0, -1, true, nullptr});

Value emit::ones_like(Emitter& e, const Value& x) {
  return e.one(ones_like_op, OnesLike{}, {x});
}

}  // namespace layernet
