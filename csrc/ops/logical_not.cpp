// logical_not(x) of bools.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct LogicalNot {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("logical_not", in, 1);
    expect_bool("logical_not", in.dtype(0));
    return one_spec(DType::bool_, in.shape(0));
  }
  void prepare(Preparation& p) const {
    p.run(run, "logical_not");
    p.elementwise();
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    step.kernels->logical_not_b8(b.in[0].as<std::uint8_t>(), b.out[0].as<std::uint8_t>(), b.out[0].size());
  }
};

}  // namespace

const OpDef logical_not_op =
    define_op<LogicalNot>("logical_not", "x", {0, -1, false, "a logical op has no derivative"});

}  // namespace layernet
