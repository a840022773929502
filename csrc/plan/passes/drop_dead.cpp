// Nodes that no output and no update of a variable needs.
#include <algorithm>

#include "plan/plan_graph.h"

namespace layernet {

void drop_dead(PlanGraph& g) {
  std::vector<char> dead(g.nodes.size(), 0);
  for (std::size_t i = g.nodes.size(); i-- > 0;) {
    bool used = is_update(g.nodes[i]);
    for (const int out : g.nodes[i].outputs) {
      used = used || is_output(g, out);
      for (std::size_t j = i + 1; j < g.nodes.size() && !used; ++j)
        used = dead[j] == 0 &&
               std::find(g.nodes[j].inputs.begin(), g.nodes[j].inputs.end(), out) != g.nodes[j].inputs.end();
    }
    dead[i] = used ? 0 : 1;
  }
  erase_nodes(g, dead);
}

}  // namespace layernet
