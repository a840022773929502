// not_equal(a, b): elementwise comparison, broadcast; bool. Comparisons with NaN are true.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct NotEqual {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_compare("not_equal", in); }
  void prepare(Preparation& p) const { prepare_compare(p, "not_equal", LN_COMPARE_KERNELS(p.kernels(), not_equal)); }
};

}  // namespace

const OpDef not_equal_op =
    define_op<NotEqual>("not_equal", "a, b", {0, -1, false, "a comparison is piecewise constant"});

}  // namespace layernet
