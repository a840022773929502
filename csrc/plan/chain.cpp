// The loop over blocks, and what prepare makes for it: one step per link.
#include "plan/chain.h"

#include <algorithm>

#include "core/error.h"
#include "graph/emitter.h"
#include "graph/fields.h"

namespace layernet {

namespace {

// Elements of a block: three float32 arrays of it take 12 kB of a first-level cache of 32 kB or more.
constexpr std::size_t kBlock = 1024;
constexpr std::size_t kMostInputs = 8;  // of one link

struct PreparedLink {
  Step step;
  std::vector<int> inputs;
  std::size_t item;  // bytes of an element of the result
};

struct PreparedChain {
  std::vector<PreparedLink> links;
  std::vector<Operand> operands;
  std::vector<std::size_t> items;  // bytes of an element of each input
  std::size_t inner = 1;           // elements of the vectors
  std::size_t buffer = 0;          // bytes of one intermediate block
};

std::size_t leading_ones(const Shape& s) {
  std::size_t i = 0;
  while (i < s.size() && s[i] == Dim(1)) ++i;
  return i;
}

}  // namespace

Operand operand_of(const Shape& shape, const Shape& out) {
  if (shape == out) return Operand::whole;
  const std::size_t skip = leading_ones(shape), rank = shape.size() - skip;
  if (rank == 0) return Operand::number;
  if (rank > out.size()) return Operand::other;
  for (std::size_t i = 0; i < rank; ++i)
    if (!shape[skip + i].is_fixed() || shape[skip + i] != out[out.size() - rank + i]) return Operand::other;
  return Operand::vector;
}

Specs Chain::infer(const InSpecs& in) const {
  Specs out;
  for (const ChainLink& link : links) {
    SmallVector<const Spec*, 8> specs;
    for (const int i : link.inputs) specs.push_back(i < 0 ? &out[0] : &in[static_cast<std::size_t>(i)]);
    out = link.op->infer(link.attributes.get(), InSpecs(specs.data(), specs.size()));
  }
  return out;
}

void Chain::prepare(Preparation& p) const {
  auto prepared = std::make_shared<PreparedChain>();
  const Shape& shape = p.out().shape;
  for (std::size_t i = 0; i < p.in().size(); ++i) {
    prepared->operands.push_back(operand_of(p.in(i).shape, shape));
    prepared->items.push_back(item_size(p.in(i).dtype));
    if (prepared->operands.back() == Operand::vector)
      prepared->inner = static_cast<std::size_t>(element_count(p.in(i).shape, "chain").value());
  }
  Spec previous;
  for (const ChainLink& link : links) {
    PreparedLink l;
    SmallVector<const Spec*, 8> in;
    for (const int i : link.inputs) in.push_back(i < 0 ? &previous : &p.in(static_cast<std::size_t>(i)));
    Specs out;
    out.emplace_back(link.result, shape);
    prepare_step(*link.op, link.attributes.get(), InSpecs(in.data(), in.size()), out, nullptr, l.step);
    l.inputs = link.inputs;
    l.item = item_size(link.result);
    prepared->links.push_back(std::move(l));
    previous = out[0];
  }
  constexpr std::size_t kLargestItem = 8;
  prepared->buffer = scratch_part(std::max(kBlock, prepared->inner) * kLargestItem);
  p.scratch(Dim(static_cast<std::int64_t>(2 * prepared->buffer)), 1);
  p.keep(std::move(prepared));
  p.run(run, "chain");
  p.elementwise();
}

void Chain::run(const Step& step, const Buffers& b) noexcept {
  const auto& p = *static_cast<const PreparedChain*>(step.constants.get());
  const auto inner = static_cast<std::int64_t>(p.inner);
  const std::size_t rows = b.out[0].size() / p.inner, most = std::max<std::size_t>(1, kBlock / p.inner);
  const Shape number{}, vector{Dim(inner)};
  Shape block = p.inner == 1 ? Shape{Dim(0)} : Shape{Dim(0), Dim(inner)};
  for (std::size_t first = 0; first < rows; first += most) {
    block[0] = Dim(static_cast<std::int64_t>(std::min(most, rows - first)));
    const std::size_t offset = first * p.inner;
    void* previous = nullptr;
    for (std::size_t l = 0; l < p.links.size(); ++l) {
      const PreparedLink& link = p.links[l];
      View in[kMostInputs];
      for (std::size_t j = 0; j < link.inputs.size(); ++j) {
        if (link.inputs[j] < 0) {
          in[j] = View{previous, &block};
          continue;
        }
        const auto i = static_cast<std::size_t>(link.inputs[j]);
        if (p.operands[i] == Operand::whole)
          in[j] = View{static_cast<unsigned char*>(b.in[i].data) + offset * p.items[i], &block};
        else
          in[j] = View{b.in[i].data, p.operands[i] == Operand::vector ? &vector : &number};
      }
      unsigned char* to = l + 1 == p.links.size() ? static_cast<unsigned char*>(b.out[0].data) + offset * link.item
                                                  : static_cast<unsigned char*>(b.scratch) + (l & 1) * p.buffer;
      const View out{to, &block};
      link.step.run(link.step, Buffers{in, &out, nullptr});
      previous = to;
    }
  }
}

std::string Chain::text() const {
  std::string s;
  for (const ChainLink& link : links) {
    s += (s.empty() ? "" : ", ") + std::string(link.op->name) + "(";
    for (std::size_t j = 0; j < link.inputs.size(); ++j)
      s += (j ? ", " : "") + (link.inputs[j] < 0 ? std::string("_") : "#" + std::to_string(link.inputs[j]));
    const std::string attributes = attributes_text(*link.op, link.attributes.get());
    s += (attributes.empty() ? "" : "; " + attributes) + ")";
  }
  return s;
}

const OpDef chain_op = define_op<Chain>("chain", "[xs]");

}  // namespace layernet
