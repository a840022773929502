// less(a, b): elementwise comparison, broadcast; bool. Comparisons with NaN are false.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Less {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_compare("less", in); }
  void prepare(Preparation& p) const { prepare_compare(p, "less", LN_COMPARE_KERNELS(p.kernels(), less)); }
};

}  // namespace

const OpDef less_op = define_op<Less>("less", "a, b", {0, -1, false, "a comparison is piecewise constant"});

Value emit::less(Emitter& e, const Value& a, const Value& b) {
  return e.one(less_op, Less{}, {a, b});
}

}  // namespace layernet
