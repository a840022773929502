// less_equal(a, b): elementwise comparison, broadcast; bool. Comparisons with NaN are false.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct LessEqual {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_compare("less_equal", in); }
  void prepare(Preparation& p) const { prepare_compare(p, "less_equal", LN_COMPARE_KERNELS(p.kernels(), less_equal)); }
};

}  // namespace

const OpDef less_equal_op =
    define_op<LessEqual>("less_equal", "a, b", {0, -1, false, "a comparison is piecewise constant"});

Value emit::less_equal(Emitter& e, const Value& a, const Value& b) {
  return e.one(less_equal_op, LessEqual{}, {a, b});
}

}  // namespace layernet
