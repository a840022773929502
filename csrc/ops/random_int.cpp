// random_int(state; shape, dtype, low, high): integers evenly spread over [low, high); updates the state.
// Each takes 64 random bits r and is low + floor(r (high - low) / 2^64): no rejection, and a bias below (high - low) /
// 2^64 (Lemire, "Fast random integer generation in an interval", 2019, without its rejection step).
#include <algorithm>
#include <limits>

#include "ops/random.h"

namespace layernet {

namespace {

struct RandomIntParams {
  std::int64_t low;
  std::uint64_t range;
};

constexpr std::size_t kBlock = 256;  // numbers made at a time, 2 kB of random bits

// The high half of a 64 x 64 bit product, in portable arithmetic.
std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) noexcept {
  const std::uint64_t a0 = a & 0xFFFFFFFFu, a1 = a >> 32, b0 = b & 0xFFFFFFFFu, b1 = b >> 32;
  const std::uint64_t middle = a1 * b0 + (a0 * b0 >> 32), lower = a0 * b1 + (middle & 0xFFFFFFFFu);
  return a1 * b1 + (middle >> 32) + (lower >> 32);
}

struct RandomInt {
  Shape shape;
  DType dtype = DType::int32;
  std::int64_t low = 0, high = 2;
  template <class V>
  void fields(V& visit) {
    visit("shape", shape);
    visit("dtype", dtype);
    visit("low", low);
    visit("high", high);
  }
  Specs infer(const InSpecs& in) const {
    expect_inputs("random_int", in, 1);
    expect_state("random_int", in);
    if (dtype != DType::int32 && dtype != DType::int64)
      fail_dtype("random_int", "dtype int32 or int64", name_of(dtype));
    if (low >= high) throw InvalidArgumentError(join("random_int: expected low < high, got ", low, " and ", high, "."));
    constexpr std::int64_t kLowest = std::numeric_limits<std::int32_t>::min(), kEnd = std::int64_t{1} << 31;
    if (dtype == DType::int32 && (low < kLowest || high > kEnd))
      throw InvalidArgumentError(
          join("random_int: expected bounds that fit int32, got ", low, " and ", high, ". Use dtype int64."));
    return state_and(in, dtype, shape);
  }
  void prepare(Preparation& p) const {
    p.params<RandomIntParams>() = {low, static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low)};
    p.run(dtype == DType::int64 ? run<std::int64_t> : run<std::int32_t>, "random_bits");
  }
  template <class T>
  static void run(const Step& step, const Buffers& b) noexcept {
    const auto& p = step.get<RandomIntParams>();
    const std::size_t n = b.out[1].size();
    const Draw draw(b, 2 * n);
    T* y = b.out[1].as<T>();
    std::uint32_t words[2 * kBlock];
    for (std::size_t at = 0; at < n; at += kBlock) {
      const std::size_t count = std::min(kBlock, n - at);
      step.kernels->random_bits_u32(draw.key, draw.counter + at / 2, words, 2 * count);
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t bits = words[2 * i] | static_cast<std::uint64_t>(words[2 * i + 1]) << 32;
        y[at + i] = static_cast<T>(static_cast<std::uint64_t>(p.low) + multiply_high(bits, p.range));
      }
    }
  }
};

}  // namespace

const OpDef random_int_op = define_op<RandomInt>("random_int", "state", {1, -1, false, kRandomNoGradient});

}  // namespace layernet
