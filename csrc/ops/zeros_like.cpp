// zeros_like(x): zeros in the shape and type of x.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct ZerosLike {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("zeros_like", in, 1);
    return one_spec(in.dtype(0), in.shape(0));
  }
  Values backward(Emitter&, const Call&, const Values&) const { return one_value(Value()); }
  void prepare(Preparation& p) const { prepare_fill(p, "zeros_like", 0); }
};

}  // namespace

const OpDef zeros_like_op = define_op<ZerosLike>("zeros_like", "x", {0, -1, true, nullptr});

Value emit::zeros_like(Emitter& e, const Value& x) {
  return e.one(zeros_like_op, ZerosLike{}, {x});
}

}  // namespace layernet
