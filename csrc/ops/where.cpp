// where(condition, a, b): a where the condition holds, b elsewhere; all three broadcast.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct WhereParams {
  int item;
};

struct Where {
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const {
    expect_inputs("where", in, 3);
    expect_bool("where", in.dtype(0));
    expect_same_dtype("where", in.dtype(1), in.dtype(2));
    return one_spec(in.dtype(1), broadcast("where", in.shape(0), broadcast("where", in.shape(1), in.shape(2))));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    const Value none = emit::zeros_like(e, dy[0]);
    Values out(3);
    if (call.wants(1)) out[1] = emit::sum_to(e, emit::where(e, call.in(0), dy[0], none), call.in(1));
    if (call.wants(2)) out[2] = emit::sum_to(e, emit::where(e, call.in(0), none, dy[0]), call.in(2));
    return out;
  }
  // Inputs that must be spread are first copied to the full shape in scratch, so that the kernel sees whole vectors or
  // scalars.
  void prepare(Preparation& p) const {
    const std::size_t item = item_size(p.in(1).dtype);
    p.params<WhereParams>() = {static_cast<int>(item)};
    const Dim n = element_count(p.out().shape, "where");
    p.scratch(n, 1);
    p.scratch(n, item);
    p.scratch(n, item);
    p.run(run, "select");
  }
  static const void* spread(const Step& step, const View& x, const View& y, std::size_t item,
                            unsigned char*& room) noexcept;
  static void run(const Step& step, const Buffers& b) noexcept;
};

const void* Where::spread(const Step& step, const View& x, const View& y, std::size_t item,
                          unsigned char*& room) noexcept {
  unsigned char* mine = room;
  room += scratch_part(y.size() * item);
  if (*x.shape == *y.shape) return x.data;
  copy_broadcast(step, x, *y.shape, item, mine);
  return mine;
}

void Where::run(const Step& step, const Buffers& b) noexcept {
  const View& y = b.out[0];
  const auto item = static_cast<std::size_t>(step.get<WhereParams>().item);
  if (y.size() == 0) return;
  auto* room = static_cast<unsigned char*>(b.scratch);
  const auto* c = static_cast<const std::uint8_t*>(spread(step, b.in[0], y, 1, room));
  const bool scalar_a = b.in[1].size() == 1, scalar_b = b.in[2].size() == 1;
  const void* first = scalar_a ? b.in[1].data : spread(step, b.in[1], y, item, room);
  const void* second = scalar_b ? b.in[2].data : spread(step, b.in[2], y, item, room);
  const auto& k = *step.kernels;
  const auto f = item == 1 ? k.select_1 : item == 2 ? k.select_2 : item == 4 ? k.select_4 : k.select_8;
  f(c, first, second, y.data, y.size(), scalar_a, scalar_b);
}

}  // namespace

const OpDef where_op = define_op<Where>("where", "condition, a, b", {0, -1, true, nullptr});

Value emit::where(Emitter& e, const Value& condition, const Value& a, const Value& b) {
  return e.one(where_op, Where{}, {condition, a, b});
}

}  // namespace layernet
