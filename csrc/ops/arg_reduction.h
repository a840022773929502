// argmax and argmin: positions along one axis, the first of equals; NaN wins, as in numpy.
#pragma once

#include "ops/op_util.h"

namespace layernet {

template <class T>
using ArgFn = void (*)(const T* x, std::int64_t* y, std::size_t outer, std::size_t r, std::size_t inner);

struct ArgReduction {
  std::int64_t axis = -1;
  template <class V>
  void fields(V& visit) {
    visit("axis", axis);
  }
  Specs infer_arg(const char* who, const InSpecs& in) const {
    expect_inputs(who, in, 1);
    const Shape& x = in.shape(0);
    const std::size_t a = axis_index(who, axis, x.size());
    if (x[a] == Dim(0))
      throw ShapeError(join(who, ": expected at least one element along axis ", a, ", got shape ", x, "."));
    Shape out = x;
    out.erase_at(a);
    return one_spec(DType::int64, std::move(out));
  }

  template <class T>
  struct Params {
    ArgFn<T> f;
    std::uint32_t axis;
  };
  template <class T>
  void set(Preparation& p, const char* who, ArgFn<T> f) const {
    p.params<Params<T>>() = {f, static_cast<std::uint32_t>(axis_index(who, axis, p.in(0).shape.size()))};
    p.run(run<T>, who);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<Params<T>>();
    std::size_t outer = 1, r = 1, inner = 1;
    for (std::size_t i = 0; i < b.in[0].rank(); ++i)
      (i < p.axis ? outer : i == p.axis ? r : inner) *= static_cast<std::size_t>(b.in[0].dim(i));
    p.f(b.in[0].as<T>(), b.out[0].as<std::int64_t>(), outer, r, inner);
  }
  struct Kernels {
    ArgFn<float> f32;
    ArgFn<double> f64;
    ArgFn<std::int32_t> i32;
    ArgFn<std::int64_t> i64;
    ArgFn<std::int8_t> i8;
    ArgFn<std::uint8_t> u8;
  };
  void prepare_arg(Preparation& p, const char* who, const Kernels& k) const {
    switch (p.in(0).dtype) {
      case DType::float64:
        return set(p, who, k.f64);
      case DType::int32:
        return set(p, who, k.i32);
      case DType::int64:
        return set(p, who, k.i64);
      case DType::int8:
        return set(p, who, k.i8);
      case DType::uint8:
      case DType::bool_:
        return set(p, who, k.u8);
      default:
        return set(p, who, k.f32);
    }
  }
};

}  // namespace layernet
