// broadcast_to(x; shape): x repeated along axes of size 1, as numpy broadcasts.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct BroadcastTo {
  Shape shape;
  template <class V>
  void fields(V& visit) {
    visit("shape", shape);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("broadcast_to", in, 1);
    Shape out = broadcast("broadcast_to", in.shape(0), shape);
    if (out.size() != shape.size() || !(out == shape))
      throw ShapeError(join("broadcast_to: expected a shape that ", in.shape(0), " broadcasts to, got ", shape, "."));
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::sum_to(e, dy[0], call.in(0)));
  }
  void prepare(Preparation& p) const {
    p.params<std::size_t>() = item_size(p.in(0).dtype);
    p.run(run, "copy_strided");
  }
  static void run(const Step& step, const Buffers& b) noexcept {
    copy_broadcast(step, b.in[0], *b.out[0].shape, step.get<std::size_t>(), b.out[0].data);
  }
};

}  // namespace

const OpDef broadcast_to_op = define_op<BroadcastTo>("broadcast_to", "x", {0, -1, true, nullptr});

Value emit::broadcast_to(Emitter& e, const Value& x, Shape shape) {
  return x.shape() == shape ? x : e.one(broadcast_to_op, BroadcastTo{std::move(shape)}, {x});
}

}  // namespace layernet
