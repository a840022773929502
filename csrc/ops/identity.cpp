// identity(x) = x, as a new value.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Identity {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("identity", in, 1);
    return one_spec(in.dtype(0), in.shape(0));
  }
  Values backward(Emitter&, const Call&, const Values& dy) const { return one_value(dy[0]); }
};

}  // namespace

const OpDef identity_op = define_op<Identity>("identity", "x", {0, 0, true, nullptr});

Value emit::identity(Emitter& e, const Value& x) {
  return e.one(identity_op, Identity{}, {x});
}

}  // namespace layernet
