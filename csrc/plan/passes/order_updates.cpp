// An update may write where the variable's old value lies, so it comes after everything that reads the old value;
// readers that come after it, and outputs, get a copy. And it comes as soon as its inputs exist: a gradient is then
// used while it is still in the caches, and its memory is free again. Single numbers, such as the learning rate, come
// as early.
#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

#include "plan/copy.h"
#include "plan/plan_graph.h"

namespace layernet {

namespace {

// The value in whose memory each value lies: itself, or what it is a view of.
std::vector<int> roots(const PlanGraph& g) {
  std::vector<int> root(g.values.size());
  std::iota(root.begin(), root.end(), 0);
  for (const PlanNode& node : g.nodes)
    if (node.op->view_of >= 0)
      root[static_cast<std::size_t>(node.outputs[0])] =
          root[static_cast<std::size_t>(node.inputs[static_cast<std::size_t>(node.op->view_of)])];
  return root;
}

// Where somebody reads `old`, itself or a view of it, after the update at `at`, everybody else is given a copy, made
// before the first of them; true when there was one.
bool copy_for_late_readers(PlanGraph& g, std::size_t at, int old) {
  const std::vector<int> root = roots(g);
  const auto is_old = [&](int v) { return root[static_cast<std::size_t>(v)] == old; };
  const auto reads = [&](const PlanNode& n) { return std::any_of(n.inputs.begin(), n.inputs.end(), is_old); };
  const auto update = g.nodes.begin() + static_cast<std::ptrdiff_t>(at);
  if (std::none_of(update + 1, g.nodes.end(), reads) && std::none_of(g.outputs.begin(), g.outputs.end(), is_old))
    return false;
  const int copy = static_cast<int>(g.values.size());
  g.values.push_back(PlanValue{g.values[static_cast<std::size_t>(old)].spec, Tensor()});
  const auto first = std::find_if(g.nodes.begin(), update, reads);
  for (auto node = g.nodes.begin(); node != g.nodes.end(); ++node)
    if (node != update) std::replace(node->inputs.begin(), node->inputs.end(), old, copy);
  std::replace(g.outputs.begin(), g.outputs.end(), old, copy);
  g.nodes.insert(first, PlanNode{&copy_op, copy_op.defaults, {old}, {copy}, ""});
  return true;
}

}  // namespace

void order_updates(PlanGraph& g) {
  for (std::size_t i = 0; i < g.nodes.size(); ++i)
    for (int t = 0; t < g.nodes[i].op->updates; ++t)
      if (copy_for_late_readers(g, i, g.nodes[i].inputs[static_cast<std::size_t>(t)])) ++i;

  // What must come before each node: what makes its inputs, and who reads what it overwrites. All of it stands before
  // the node already, so there is an order (Kahn 1962); updates and single numbers are taken first, and else the
  // present order is kept.
  const std::size_t count = g.nodes.size();
  const std::vector<int> root = roots(g);
  std::vector<std::vector<std::size_t>> producer(g.values.size()), readers(g.values.size()), after(count);
  std::vector<std::size_t> waits(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const PlanNode& node = g.nodes[i];
    const auto wait_for = [&](const std::vector<std::size_t>& nodes) {
      for (const std::size_t j : nodes) after[j].push_back(i);
      waits[i] += nodes.size();
    };
    for (const int v : node.inputs) wait_for(producer[static_cast<std::size_t>(v)]);
    for (int t = 0; t < node.op->updates; ++t)
      wait_for(readers[static_cast<std::size_t>(node.inputs[static_cast<std::size_t>(t)])]);
    for (const int v : node.inputs) readers[static_cast<std::size_t>(root[static_cast<std::size_t>(v)])].push_back(i);
    for (const int v : node.outputs) producer[static_cast<std::size_t>(v)].push_back(i);
  }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready[2];  // others, those that go first
  const auto number = [&](int v) { return g.values[static_cast<std::size_t>(v)].spec.shape.empty(); };
  const auto offer = [&](std::size_t i) {
    const PlanNode& node = g.nodes[i];
    const bool first = is_update(node) || std::all_of(node.outputs.begin(), node.outputs.end(), number);
    if (waits[i] == 0) ready[first ? 1 : 0].push(i);
  };
  for (std::size_t i = 0; i < count; ++i) offer(i);
  std::vector<PlanNode> nodes;
  while (!ready[0].empty() || !ready[1].empty()) {
    auto& queue = ready[ready[1].empty() ? 0 : 1];
    const std::size_t next = queue.top();
    queue.pop();
    nodes.push_back(g.nodes[next]);
    for (const std::size_t i : after[next]) {
      --waits[i];
      offer(i);
    }
  }
  g.nodes = std::move(nodes);
}

}  // namespace layernet
