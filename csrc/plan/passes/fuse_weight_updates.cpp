// A gradient of a matrix that an optimizer alone reads is computed block by block, and each block used while it is in
// the cache (plan/weight_update.h).
#include <algorithm>

#include "graph/emitter.h"
#include "plan/plan_graph.h"
#include "plan/weight_update.h"

namespace layernet {

namespace {

// Smaller gradients stay in the second-level cache as a whole.
constexpr std::int64_t kLeastBytes = 256 * 1024;

Step prepared(const PlanGraph& g, const PlanNode& node) {
  SmallVector<const Spec*, 8> in;
  for (const int v : node.inputs) in.push_back(&g.values[static_cast<std::size_t>(v)].spec);
  Specs out;
  for (const int v : node.outputs) out.push_back(g.values[static_cast<std::size_t>(v)].spec);
  const std::vector<Tensor> none(node.inputs.size());
  Step step;
  prepare_step(*node.op, node.attributes.get(), InSpecs(in.data(), in.size()), out, none.data(), step);
  return step;
}

}  // namespace

void fuse_weight_updates(PlanGraph& g) {
  std::vector<char> dead(g.nodes.size(), 0);
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const PlanNode& node = g.nodes[i];
    const Spec& dw = g.values[static_cast<std::size_t>(node.outputs[0])].spec;
    if (dw.shape.size() != 2 || !dw.shape[0].is_fixed() || !dw.shape[1].is_fixed() ||
        fixed_count(dw.shape) * static_cast<std::int64_t>(item_size(dw.dtype)) < kLeastBytes ||
        is_output(g, node.outputs[0]) || is_update(node))
      continue;
    const int reader = only_reader(g, node.outputs[0]);
    if (reader < 0) continue;
    PlanNode& update = g.nodes[static_cast<std::size_t>(reader)];
    const auto variables = static_cast<std::size_t>(update.op->updates);
    if (variables == 0 || variables > kMostUpdated || update.inputs[variables] != node.outputs[0] ||
        update.outputs.size() != variables)
      continue;
    // What else the gradient gives moves to the place of the update.
    bool early = false;
    for (std::size_t o = 1; o < node.outputs.size(); ++o)
      for (std::size_t j = i + 1; j < static_cast<std::size_t>(reader); ++j)
        early = early || std::count(g.nodes[j].inputs.begin(), g.nodes[j].inputs.end(), node.outputs[o]) != 0;
    const Step gradient = prepared(g, node), step = prepared(g, update);
    if (early || gradient.run_blocks == nullptr || !step.elementwise ||
        step.scratch_bytes + step.scratch_bytes_per_n != 0)
      continue;
    WeightUpdate both;
    both.gradient = node.op;
    both.gradient_attributes = node.attributes;
    both.optimizer = update.op;
    both.optimizer_attributes = update.attributes;
    both.variables = variables;
    both.numbers = update.inputs.size() - variables - 1;
    update.op = &weight_update_ops[variables];
    update.detail = both.text();
    update.attributes = std::make_shared<WeightUpdate>(std::move(both));
    update.inputs.erase(update.inputs.begin() + static_cast<std::ptrdiff_t>(variables));
    update.inputs.insert(update.inputs.end(), node.inputs.begin(), node.inputs.end());
    update.outputs.insert(update.outputs.end(), node.outputs.begin() + 1, node.outputs.end());
    dead[i] = 1;
  }
  erase_nodes(g, dead);
}

}  // namespace layernet
