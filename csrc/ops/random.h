// What the random ops share. A generator is an int64 vector (seed, counter); the numbers are a function of the two
// (kernels/random.inl.h), and an op advances the counter by the blocks of 128 bits it has used.
#pragma once

#include "ops/kernel_pick.h"

namespace layernet {

inline void expect_state(const char* who, const InSpecs& in) {
  if (in.size() == 0) expect_inputs(who, in, 1);
  if (in.dtype(0) != DType::int64) fail_dtype(who, "an int64 state (seed, counter)", name_of(in.dtype(0)));
  if (in.rank(0) != 1 || in.shape(0)[0] != Dim(2))
    fail_shape(who, "a state of shape [2] (seed, counter)", join("shape ", in.shape(0)));
}

inline Specs state_and(const InSpecs& in, DType dtype, Shape shape) {
  Specs out;
  out.push_back(in[0]);
  out.emplace_back(dtype, std::move(shape));
  return out;
}

constexpr const char* kRandomNoGradient = "a random number does not depend on values";

// Where a draw starts. Reads the state and writes the advanced one, which may be the same memory.
struct Draw {
  std::uint64_t key, counter;
  Draw(const Buffers& b, std::size_t words) noexcept {
    const std::int64_t* state = b.in[0].as<std::int64_t>();
    key = static_cast<std::uint64_t>(state[0]);
    counter = static_cast<std::uint64_t>(state[1]);
    std::int64_t* advanced = b.out[0].as<std::int64_t>();
    advanced[0] = static_cast<std::int64_t>(key);
    advanced[1] = static_cast<std::int64_t>(counter + (words + 3) / 4);
  }
};

// Shape and type of the numbers, and the two parameters of a distribution.
template <class T>
using RandomFn = void (*)(std::uint64_t key, std::uint64_t counter, T* y, std::size_t n, double a, double b);

struct RandomFloats {
  Shape shape;
  DType dtype = DType::float32;

  Specs infer_floats(const char* who, const InSpecs& in) const {
    expect_inputs(who, in, 1);
    expect_state(who, in);
    expect_floating(who, dtype);
    return state_and(in, dtype, shape);
  }
  void prepare_floats(Preparation& p, const char* who, RandomFn<float> f32, RandomFn<double> f64, double a,
                      double b) const {
    if (p.out(1).dtype == DType::float64)
      set(p, who, f64, a, b);
    else
      set(p, who, f32, a, b);
  }

 private:
  template <class T>
  struct Params {
    RandomFn<T> f;
    double a, b;
  };
  template <class T>
  static void set(Preparation& p, const char* who, RandomFn<T> f, double a, double b) {
    p.params<Params<T>>() = {f, a, b};
    p.run(run<T>, who);
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<Params<T>>();
    const std::size_t n = b.out[1].size();
    const Draw draw(b, n * (sizeof(T) / 4));
    p.f(draw.key, draw.counter, b.out[1].as<T>(), n, p.a, p.b);
  }
};

}  // namespace layernet
