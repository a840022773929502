// Passes over a PlanGraph. Each leaves the outputs' values as they were (fusions: within the bounds of the fused
// kernel).
#include <algorithm>

#include "core/error.h"
#include "graph/emitter.h"
#include "plan/plan_graph.h"

namespace layernet {

namespace {

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

void erase_nodes(PlanGraph& g, const std::vector<char>& dead) {
  std::size_t to = 0;
  for (std::size_t i = 0; i < g.nodes.size(); ++i)
    if (dead[i] == 0) {
      if (to != i) g.nodes[to] = std::move(g.nodes[i]);
      ++to;
    }
  g.nodes.resize(to);
}

}  // namespace

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

void fuse(PlanGraph& g) {
  std::vector<char> dead(g.nodes.size(), 0);
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    if (dead[i] != 0 || g.nodes[i].op->absorb == nullptr || g.nodes[i].outputs.size() != 1) continue;
    for (;;) {
      PlanNode& node = g.nodes[i];
      if (is_output(g, node.outputs[0])) break;
      const int next = only_reader(g, node.outputs[0]);
      if (next < 0) break;
      PlanNode& reader = g.nodes[static_cast<std::size_t>(next)];
      if (reader.inputs.size() != 1 || reader.outputs.size() != 1) break;
      std::shared_ptr<void> fused = node.op->clone(node.attributes.get());
      if (!node.op->absorb(fused.get(), *reader.op, reader.attributes.get())) break;
      node.attributes = std::move(fused);
      node.outputs = reader.outputs;
      dead[static_cast<std::size_t>(next)] = 1;
      reader.inputs.clear();
    }
  }
  erase_nodes(g, dead);
}

void drop_dead(PlanGraph& g) {
  std::vector<char> dead(g.nodes.size(), 0);
  for (std::size_t i = g.nodes.size(); i-- > 0;) {
    bool used = false;
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
