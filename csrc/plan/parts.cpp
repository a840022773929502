// The ranges are multiples of whole vectors, and elements do not depend on each other: the bits are those of one run().
#include "plan/parts.h"

#include <algorithm>

#include "plan/chain.h"

namespace layernet {

namespace {

constexpr std::size_t kMostOperands = 12;
constexpr std::size_t kMultiple = 64;  // elements: a cache line at least, so that threads do not write to the same

// The length of the vectors among the operands, 1 without any; 0 when an operand is something else.
template <class Operands>
std::size_t inner_of(std::size_t count, const Operands& shape, const Shape& out) {
  std::size_t inner = 1;
  for (std::size_t i = 0; i < count; ++i) {
    const Operand kind = operand_of(shape(i), out);
    if (kind == Operand::other) return 0;
    if (kind != Operand::vector) continue;
    const auto length = static_cast<std::size_t>(fixed_count(shape(i)));
    if (length == 0 || (inner != 1 && inner != length)) return 0;
    inner = length;
  }
  return inner;
}

}  // namespace

bool splits(const std::vector<const Shape*>& inputs, const Shape& out) {
  return inputs.size() <= kMostOperands &&
         inner_of(inputs.size(), [&](std::size_t i) -> const Shape& { return *inputs[i]; }, out) != 0;
}

void run_elementwise_part(const Step& step, const Buffers& b, std::size_t inputs, std::size_t outputs,
                          const std::size_t* items, int part, int parts) noexcept {
  const Shape& out = *b.out[0].shape;
  const std::size_t inner = inner_of(inputs, [&](std::size_t i) -> const Shape& { return *b.in[i].shape; }, out);
  const std::size_t rows = b.out[0].size() / inner;
  const std::size_t multiple = inner >= kMultiple ? 1 : kMultiple;
  const auto bound = [&](int i) {
    return i == parts ? rows
                      : rows * static_cast<std::size_t>(i) / static_cast<std::size_t>(parts) / multiple * multiple;
  };
  const std::size_t first = bound(part), count = bound(part + 1) - first;
  if (count == 0) return;
  const Shape number{}, vector{Dim(static_cast<std::int64_t>(inner))};
  const auto many = Dim(static_cast<std::int64_t>(count));
  const Shape block = inner == 1 ? Shape{many} : Shape{many, vector[0]};
  const auto moved = [&](const View& v, std::size_t item) {
    return View{static_cast<unsigned char*>(v.data) + first * inner * item, &block};
  };
  View in[kMostOperands], to[kMostOperands];
  for (std::size_t i = 0; i < inputs; ++i) {
    const Operand kind = operand_of(*b.in[i].shape, out);
    in[i] = kind == Operand::whole ? moved(b.in[i], items[i])
                                   : View{b.in[i].data, kind == Operand::vector ? &vector : &number};
  }
  for (std::size_t i = 0; i < outputs; ++i) to[i] = moved(b.out[i], items[inputs + i]);
  step.run(step, Buffers{in, to, nullptr});
}

}  // namespace layernet
