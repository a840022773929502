// Elementwise ops of which each uses the one before become one chain (plan/chain.h): one pass over memory instead of
// one per op.
#include <algorithm>

#include "graph/emitter.h"
#include "plan/chain.h"
#include "plan/plan_graph.h"

namespace layernet {

namespace {

constexpr std::size_t kMostInputs = 4;

// Whether the node's op, prepared for these types, is elementwise and needs nothing but its operands.
bool is_elementwise(const PlanGraph& g, const PlanNode& node) {
  if (node.op == &chain_op) return true;
  if (node.op->absorb != nullptr || node.op->view_of >= 0 || node.op->updates > 0 || node.outputs.size() != 1 ||
      node.inputs.empty() || node.inputs.size() > kMostInputs)
    return false;
  SmallVector<const Spec*, 8> in;
  for (const int v : node.inputs) in.push_back(&g.values[static_cast<std::size_t>(v)].spec);
  Specs out;
  out.push_back(g.values[static_cast<std::size_t>(node.outputs[0])].spec);
  Step step;
  prepare_step(*node.op, node.attributes.get(), InSpecs(in.data(), in.size()), out, nullptr, step);
  return step.elementwise && step.scratch_bytes == 0 && step.scratch_bytes_per_n == 0;
}

Chain as_chain(const PlanGraph& g, const PlanNode& node) {
  if (node.op == &chain_op) return *static_cast<const Chain*>(node.attributes.get());
  ChainLink link{node.op, node.attributes, {}, g.values[static_cast<std::size_t>(node.outputs[0])].spec.dtype};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) link.inputs.push_back(static_cast<int>(i));
  return Chain{{std::move(link)}};
}

// All operands are whole, numbers, or vectors of one length.
bool fits(const PlanGraph& g, const std::vector<int>& inputs, const Shape& out) {
  const Shape* vector = nullptr;
  for (const int v : inputs) {
    const Shape& s = g.values[static_cast<std::size_t>(v)].spec.shape;
    const Operand kind = operand_of(s, out);
    if (kind == Operand::other) return false;
    if (kind != Operand::vector) continue;
    if (vector != nullptr && !(element_count(*vector, "chain") == element_count(s, "chain"))) return false;
    vector = &s;
  }
  return true;
}

// Puts node i, which only `reader` reads, before it.
bool join_nodes(PlanGraph& g, const PlanNode& node, PlanNode& reader) {
  const int result = node.outputs[0];
  const Shape& shape = g.values[static_cast<std::size_t>(result)].spec.shape;
  const Shape& out = g.values[static_cast<std::size_t>(reader.outputs[0])].spec.shape;
  if (reader.op == &chain_op || !(shape == out)) return false;
  std::vector<int> inputs = node.inputs;
  Chain chain = as_chain(g, node);
  ChainLink link = as_chain(g, reader).links[0];
  for (std::size_t i = 0; i < reader.inputs.size(); ++i) {
    const int v = reader.inputs[i];
    if (v == result) {
      link.inputs[i] = -1;
      continue;
    }
    const auto known = std::find(inputs.begin(), inputs.end(), v);
    link.inputs[i] = static_cast<int>(known - inputs.begin());
    if (known == inputs.end()) inputs.push_back(v);
  }
  if (inputs.size() > kMostInputs || !fits(g, inputs, out)) return false;
  chain.links.push_back(std::move(link));
  reader.op = &chain_op;
  reader.detail = chain.text();
  reader.attributes = std::make_shared<Chain>(std::move(chain));
  reader.inputs = std::move(inputs);
  return true;
}

}  // namespace

void chain_elementwise(PlanGraph& g) {
  std::vector<char> dead(g.nodes.size(), 0);
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    if (!is_elementwise(g, g.nodes[i]) || is_output(g, g.nodes[i].outputs[0])) continue;
    const int next = only_reader(g, g.nodes[i].outputs[0]);
    if (next < 0 || !is_elementwise(g, g.nodes[static_cast<std::size_t>(next)])) continue;
    if (!join_nodes(g, g.nodes[i], g.nodes[static_cast<std::size_t>(next)])) continue;
    dead[i] = 1;
    g.nodes[i].inputs.clear();
  }
  erase_nodes(g, dead);
}

}  // namespace layernet
