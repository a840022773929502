// equal(a, b): elementwise comparison, broadcast; bool. Comparisons with NaN are false.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Equal {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_compare("equal", in); }
  void prepare(Preparation& p) const { prepare_compare(p, "equal", LN_COMPARE_KERNELS(p.kernels(), equal)); }
};

}  // namespace

const OpDef equal_op = define_op<Equal>("equal", "a, b", {0, -1, false, "a comparison is piecewise constant"});

Value emit::equal(Emitter& e, const Value& a, const Value& b) {
  return e.one(equal_op, Equal{}, {a, b});
}

}  // namespace layernet
