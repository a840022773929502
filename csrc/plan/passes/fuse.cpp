// Ops absorb the one op that uses their result (OpDef::absorb): what can be fused is the knowledge of the absorbing op.
#include <algorithm>

#include "core/error.h"
#include "plan/plan_graph.h"

namespace layernet {

namespace {

std::vector<FusionInput> fusion_inputs(const PlanGraph& g, const PlanNode& node) {
  std::vector<FusionInput> inputs;
  for (const int v : node.inputs) {
    const PlanValue& value = g.values[static_cast<std::size_t>(v)];
    inputs.push_back(FusionInput{value.spec, value.constant, v});
  }
  return inputs;
}

// The absorbing node stays where it is: what the reader takes besides its result must exist before it.
bool available(const PlanGraph& g, const PlanNode& reader, std::size_t at) {
  for (const int v : reader.inputs)
    for (std::size_t i = at + 1; i < g.nodes.size(); ++i)
      if (std::find(g.nodes[i].outputs.begin(), g.nodes[i].outputs.end(), v) != g.nodes[i].outputs.end()) return false;
  return true;
}

bool absorb_reader(PlanGraph& g, std::size_t i, std::size_t next) {
  PlanNode& node = g.nodes[i];
  PlanNode& reader = g.nodes[next];
  const int result = node.outputs[0];
  if (reader.outputs.size() != 1 || !available(g, reader, i)) return false;
  const std::vector<FusionInput> next_inputs = fusion_inputs(g, reader);
  std::vector<FusionInput> inputs = fusion_inputs(g, node);
  const auto position = std::find(reader.inputs.begin(), reader.inputs.end(), result) - reader.inputs.begin();
  const std::shared_ptr<void> fused = node.op->clone(node.attributes.get());
  if (!node.op->absorb(fused.get(),
                       Fusion{*reader.op, reader.attributes.get(), next_inputs, static_cast<std::size_t>(position),
                              g.values[static_cast<std::size_t>(result)].spec, inputs, g.weights}))
    return false;
  node.attributes = fused;
  node.inputs.clear();
  for (FusionInput& input : inputs) {
    if (input.value < 0) {
      input.value = static_cast<int>(g.values.size());
      g.values.push_back(PlanValue{input.spec, input.constant});
    }
    node.inputs.push_back(input.value);
  }
  node.outputs = std::move(reader.outputs);
  reader.outputs.clear();
  reader.inputs.clear();
  return true;
}

}  // namespace

void fuse(PlanGraph& g) {
  std::vector<char> dead(g.nodes.size(), 0);
  for (std::size_t i = 0; i < g.nodes.size(); ++i)
    while (dead[i] == 0 && g.nodes[i].op->absorb != nullptr && g.nodes[i].outputs.size() == 1) {
      const int next = is_output(g, g.nodes[i].outputs[0]) ? -1 : only_reader(g, g.nodes[i].outputs[0]);
      if (next < 0 || !absorb_reader(g, i, static_cast<std::size_t>(next))) break;
      dead[static_cast<std::size_t>(next)] = 1;
    }
  erase_nodes(g, dead);
}

}  // namespace layernet
