// chain: elementwise ops one after another, computed block by block so that what lies between them stays in the
// first-level cache. An op of plans only: the pass that makes it is passes/chain_elementwise.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layernet/op.h"

namespace layernet {

// One op of a chain. inputs: numbers of inputs of the chain, or -1 for the result of the link before.
struct ChainLink {
  const OpDef* op;
  std::shared_ptr<const void> attributes;
  std::vector<int> inputs;
  DType result;
};

struct Chain {
  std::vector<ChainLink> links;
  template <class V>
  void fields(V&) {}
  Specs infer(const InSpecs& in) const;
  void prepare(Preparation& p) const;
  static void run(const Step& step, const Buffers& b) noexcept;
  std::string text() const;  // of the links
};

extern const OpDef chain_op;

// How an operand of an elementwise op goes along with a result of shape `out`.
enum class Operand : std::uint8_t { whole, number, vector, other };  // vector: repeated along the leading axes
Operand operand_of(const Shape& shape, const Shape& out);

}  // namespace layernet
