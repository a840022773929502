// expand_dims(x; axis): an axis of size 1 put in front of `axis`.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct ExpandDims {
  std::int64_t axis = 0;
  template <class V>
  void fields(V& visit) {
    visit("axis", axis);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("expand_dims", in, 1);
    Shape s = in.shape(0);
    s.insert_at(axis_index("expand_dims", axis, s.size() + 1), Dim(1));
    return one_spec(in.dtype(0), std::move(s));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::reshape(e, dy[0], call.in(0).shape()));
  }
  bool dims(const InSpecs&, const Shape* const* in, Shape* out) const {
    if (in[0] == nullptr) return false;
    *out = *in[0];
    return true;
  }
};

}  // namespace

const OpDef expand_dims_op = define_op<ExpandDims>("expand_dims", "x", {0, 0, true, nullptr});

}  // namespace layernet
