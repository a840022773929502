// What passes share: who reads a value, and taking nodes out.
#include <algorithm>

#include "plan/plan_graph.h"

namespace layernet {

void replace_value(PlanGraph& g, int from, int to) {
  for (PlanNode& node : g.nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(g.outputs.begin(), g.outputs.end(), from, to);
}

bool is_output(const PlanGraph& g, int value) {
  return std::find(g.outputs.begin(), g.outputs.end(), value) != g.outputs.end();
}

// The only node that reads `value`, or -1.
int only_reader(const PlanGraph& g, int value) {
  int reader = -1;
  for (std::size_t i = 0; i < g.nodes.size(); ++i)
    for (const int v : g.nodes[i].inputs)
      if (v == value) {
        if (reader >= 0) return -1;
        reader = static_cast<int>(i);
      }
  return reader;
}

bool is_update(const PlanNode& node) {
  return node.op->updates > 0;
}

void erase_nodes(PlanGraph& g, const std::vector<char>& dead) {
  std::size_t to = 0;
  for (std::size_t i = 0; i < g.nodes.size(); ++i)
    if (dead[i] == 0) {
      if (to != i) g.nodes[to] = std::move(g.nodes[i]);
      ++to;
    }
  g.nodes.resize(to);
}

}  // namespace layernet
