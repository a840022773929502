// greater_equal(a, b): elementwise comparison, broadcast; bool. Comparisons with NaN are false.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct GreaterEqual {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_compare("greater_equal", in); }
  void prepare(Preparation& p) const {
    prepare_compare(p, "greater_equal", LN_COMPARE_KERNELS(p.kernels(), greater_equal));
  }
};

}  // namespace

const OpDef greater_equal_op =
    define_op<GreaterEqual>("greater_equal", "a, b", {0, -1, false, "a comparison is piecewise constant"});

Value emit::greater_equal(Emitter& e, const Value& a, const Value& b) {
  return e.one(greater_equal_op, GreaterEqual{}, {a, b});
}

}  // namespace layernet
