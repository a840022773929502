// assign(v, value): the variable takes the value.
#include "ops/update.h"

namespace layernet {

namespace {

struct AssignParams {
  std::size_t item;
};

struct Assign {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const { return infer_update("assign", in, 1, 0); }
  void prepare(Preparation& p) const {
    p.params<AssignParams>() = {item_size(p.in(0).dtype)};
    p.run(run, "copy");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    if (b.out[0].data != b.in[1].data)
      std::memcpy(b.out[0].data, b.in[1].data, b.out[0].size() * step.get<AssignParams>().item);
  }
};

}  // namespace

const OpDef assign_op = define_op<Assign>("assign", "v, value", {1, -1, true, kUpdateNoGradient});

}  // namespace layernet
