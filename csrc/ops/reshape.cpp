// reshape(x; shape): the same elements in the same order under another shape. One size may be unknown and is inferred.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Reshape {
  Shape shape;
  template <class V>
  void fields(V& visit) {
    visit("shape", shape);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("reshape", in, 1);
    const Dim total = element_count(in.shape(0), "reshape");
    Shape out = shape;
    Dim known = 1;
    std::size_t open = shape.size();
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (!shape[i].is_unknown()) {
        known = multiply(known, shape[i], "reshape");
      } else if (open != shape.size()) {
        throw ShapeError(join("reshape: expected at most one size of -1, got ", shape, "."));
      } else {
        open = i;
      }
    }
    if (open != shape.size() && known == Dim(0))
      throw ShapeError(join("reshape: expected no size of 0 beside -1, since any size would do for it, got ", shape,
                            ". Give all sizes."));
    if (open != shape.size())
      out[open] = divide_exact(total, known, "reshape");
    else if (!total.is_unknown() && known != total)
      throw ShapeError(
          join("reshape: expected a shape of ", total, " elements (the input is ", in.shape(0), "), got ", shape, "."));
    return one_spec(in.dtype(0), std::move(out));
  }
  Values backward(Emitter& e, const Call& call, const Values& dy) const {
    return one_value(emit::reshape(e, dy[0], call.in(0).shape()));
  }
  bool dims(const InSpecs&, const Shape* const* in, Shape* out) const {
    if (in[0] == nullptr) return false;
    *out = *in[0];
    return true;
  }
};

}  // namespace

const OpDef reshape_op = define_op<Reshape>("reshape", "x", {0, 0, true, nullptr});

Value emit::reshape(Emitter& e, const Value& x, Shape shape) {
  return e.one(reshape_op, Reshape{std::move(shape)}, {x});
}

}  // namespace layernet
