// squeeze(x; axes): the named axes of size 1 taken out; all of them when none is named.
#include "ops/op_util.h"

namespace layernet {

namespace {

struct Squeeze {
  Ints axes;
  template <class V>
  void fields(V& visit) {
    visit("axes", axes);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("squeeze", in, 1);
    const Shape& s = in.shape(0);
    const auto named = axis_indices("squeeze", axes, false, s.size());
    for (const std::size_t a : named)
      if (s[a] != Dim(1) && !s[a].is_unknown())
        throw ShapeError(join("squeeze: expected size 1 on axis ", a, ", got shape ", s, "."));
    if (named.empty())
      for (const Dim d : s)
        if (d.is_unknown())
          throw GraphError(
              join("squeeze: expected known sizes, since those of 1 are taken out, got shape ", s, ". Name the axes."));
    Shape out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      const bool drop = named.empty() ? s[i] == Dim(1) : next < named.size() && named[next] == i;
      if (drop)
        ++next;
      else
        out.push_back(s[i]);
    }
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

const OpDef squeeze_op = define_op<Squeeze>("squeeze", "x", {0, 0, true, nullptr});

}  // namespace layernet
