// greater(a, b): elementwise comparison, broadcast; bool. Comparisons with NaN are false.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Greater {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_compare("greater", in); }
  void prepare(Preparation& p) const { prepare_compare(p, "greater", LN_COMPARE_KERNELS(p.kernels(), greater)); }
};

}  // namespace

const OpDef greater_op = define_op<Greater>("greater", "a, b", {0, -1, false, "a comparison is piecewise constant"});

Value emit::greater(Emitter& e, const Value& a, const Value& b) {
  return e.one(greater_op, Greater{}, {a, b});
}

}  // namespace layernet
