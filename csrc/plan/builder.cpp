// From a Graph to a Plan: values by number, then the passes in order.
#include <map>

#include "core/convert.h"
#include "core/error.h"
#include "graph/fields.h"
#include "plan/plan_graph.h"

namespace layernet {

PlanGraph make_plan_graph(const Graph& graph, bool keep_variables) {
  PlanGraph g;
  std::map<std::pair<const Node*, int>, int> numbers;
  std::map<const Variable*, int> latest;  // the value that each variable has at this point
  const auto number = [&](const Node* node, int output, const Spec& spec) {
    for (const Dim d : spec.shape)
      if (d.is_unknown())
        throw GraphError(join("plan: expected sizes that are integers or multiples of the batch, got ", spec, " from ",
                              node->op != nullptr ? node->op->name : "an input",
                              ". Give Input() every size but the first."));
    const int id = static_cast<int>(g.values.size());
    g.values.push_back(PlanValue{spec, Tensor()});
    numbers[{node, output}] = id;
    return id;
  };
  const auto value_of = [&](const Value& v) {
    if (v.is_symbol()) return numbers.at({v.symbol().node.get(), v.symbol().output});
    g.values.push_back(PlanValue{v.spec(), v.tensor()});
    return static_cast<int>(g.values.size()) - 1;
  };
  for (const Value& v : graph.inputs()) {
    const SymbolBody& s = v.symbol();
    g.inputs.push_back(number(s.node.get(), s.output, v.spec()));
    g.input_names.push_back(s.node->name);
  }
  for (const Ref<Node>& node : graph.nodes()) {
    if (node->kind == Node::Kind::variable) {
      const std::shared_ptr<Variable>& variable = node->targets[0];
      const auto known = latest.find(variable.get());
      if (known != latest.end()) {
        numbers[{node.get(), 0}] = known->second;
        continue;
      }
      const int id = number(node.get(), 0, node->outputs[0]);
      PlanValue& value = g.values[static_cast<std::size_t>(id)];
      if (keep_variables) {
        value.variable = static_cast<int>(g.variables.size());
        g.variables.push_back(variable);
        latest[variable.get()] = id;
      } else {
        value.constant = variable->value();
      }
      continue;
    }
    if (!node->targets.empty() && !keep_variables)
      throw GraphError(join("plan: expected a computation that changes no variable, got the op ", node->op->name,
                            ". Trace the network with training=False."));
    PlanNode n;
    n.op = node->op;
    n.attributes = node->attributes;
    g.reshapes = g.reshapes || (n.op->view_of >= 0 && !n.op->stateless);
    for (const Value& v : node->inputs) n.inputs.push_back(value_of(v));
    for (std::size_t i = 0; i < node->outputs.size(); ++i)
      n.outputs.push_back(number(node.get(), static_cast<int>(i), node->outputs[i]));
    for (std::size_t i = 0; i < node->targets.size(); ++i) {
      PlanValue& value = g.values[static_cast<std::size_t>(n.outputs[i])];
      value.variable = g.values[static_cast<std::size_t>(n.inputs[i])].variable;
      value.updated = true;
      latest[node->targets[i].get()] = n.outputs[i];
    }
    g.nodes.push_back(std::move(n));
  }
  for (const Value& v : graph.outputs()) g.outputs.push_back(value_of(v));
  return g;
}

std::string PlanGraph::text() const {
  const auto refer = [&](int v) {
    const PlanValue& value = values[static_cast<std::size_t>(v)];
    const Tensor& t = value.constant;
    if (value.variable >= 0 && !value.updated)
      return "variable " + std::to_string(value.variable) + " " + to_string(value.spec);
    if (!t) return "%" + std::to_string(v);
    return t.rank() == 0 ? layernet::text(load_scalar(t.data(), t.dtype())) : "constant " + to_string(t.spec());
  };
  std::string s;
  for (const int v : inputs)
    s += "%" + std::to_string(v) + " = input : " + to_string(values[static_cast<std::size_t>(v)].spec) + "\n";
  for (const PlanNode& node : nodes) {
    for (std::size_t i = 0; i < node.outputs.size(); ++i) s += (i ? ", %" : "%") + std::to_string(node.outputs[i]);
    s += " = " + std::string(node.op->name) + "(";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) s += (i ? ", " : "") + refer(node.inputs[i]);
    const std::string attributes = attributes_text(*node.op, node.attributes.get());
    s += (attributes.empty() ? "" : "; " + attributes) + (node.detail.empty() ? "" : "; " + node.detail) + ") : ";
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      s += (i ? ", " : "") + to_string(values[static_cast<std::size_t>(node.outputs[i])].spec);
    s += "\n";
  }
  s += "return ";
  for (std::size_t i = 0; i < outputs.size(); ++i) s += (i ? ", " : "") + refer(outputs[i]);
  return s + "\n";
}

}  // namespace layernet
