// Ops whose inputs are all constants are run once, now.
#include "graph/emitter.h"
#include "plan/plan_graph.h"

namespace layernet {

void fold_constants(PlanGraph& g) {
  std::vector<char> dead(g.nodes.size(), 0);
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const PlanNode& node = g.nodes[i];
    Values inputs;
    bool known = true;
    for (const int v : node.inputs) {
      const Tensor& t = g.values[static_cast<std::size_t>(v)].constant;
      known = known && t;
      inputs.push_back(Value(t));
    }
    // shape(x) of integers is known although x is not.
    if (!known) continue;
    const Values results = emit_eager(*node.op, node.attributes.get(), inputs, Targets());
    for (std::size_t o = 0; o < results.size(); ++o)
      g.values[static_cast<std::size_t>(node.outputs[o])].constant = results[o].tensor();
    dead[i] = 1;
  }
  erase_nodes(g, dead);
}

}  // namespace layernet
