// Views under the same shape (identity, stop_gradient, a reshape that changes nothing) do nothing and go.
#include "plan/plan_graph.h"

namespace layernet {

void drop_identities(PlanGraph& g) {
  std::vector<char> dead(g.nodes.size(), 0);
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const PlanNode& node = g.nodes[i];
    // A view under the same shape does nothing.
    if (node.op->view_of < 0) continue;
    const int from = node.inputs[static_cast<std::size_t>(node.op->view_of)], to = node.outputs[0];
    if (!(g.values[static_cast<std::size_t>(from)].spec == g.values[static_cast<std::size_t>(to)].spec)) continue;
    replace_value(g, to, from);
    dead[i] = 1;
  }
  erase_nodes(g, dead);
}

}  // namespace layernet
