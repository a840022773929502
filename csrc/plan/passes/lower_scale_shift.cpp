// An op that scales and shifts (batch norm) and that no product took in becomes a multiplication and an addition, which
// can be links of a chain (chain_elementwise.cpp).
#include <algorithm>

#include "graph/emitter.h"
#include "plan/plan_graph.h"

namespace layernet {

namespace {

Tensor vector_of(const std::vector<double>& values, DType type) {
  Tensor t = Tensor::empty(Spec(type, Shape{Dim(static_cast<std::int64_t>(values.size()))}));
  if (type == DType::float64)
    std::copy(values.begin(), values.end(), static_cast<double*>(t.mutable_data()));
  else
    std::transform(values.begin(), values.end(), static_cast<float*>(t.mutable_data()),
                   [](double v) { return static_cast<float>(v); });
  return t;
}

}  // namespace

void lower_scale_shift(PlanGraph& g) {
  const OpDef &multiply = *find_op("multiply"), &add = *find_op("add");
  std::vector<PlanNode> nodes;
  const auto add_value = [&g](Spec spec, Tensor constant) {
    g.values.push_back(PlanValue{std::move(spec), std::move(constant)});
    return static_cast<int>(g.values.size()) - 1;
  };
  const auto add_vector = [&](const std::vector<double>& values, DType type) {
    Tensor t = vector_of(values, type);
    const Spec spec = t.spec();
    return add_value(spec, std::move(t));
  };
  for (PlanNode& node : g.nodes) {
    ScaleShift by;
    if (node.op->scale_shift != nullptr) {
      std::vector<Tensor> constants;
      for (const int v : node.inputs) constants.push_back(g.values[static_cast<std::size_t>(v)].constant);
      by = node.op->scale_shift(node.attributes.get(), g.values[static_cast<std::size_t>(node.inputs[0])].spec,
                                constants.data());
    }
    if (by.scale.empty()) {
      nodes.push_back(std::move(node));
      continue;
    }
    const Spec spec = g.values[static_cast<std::size_t>(node.outputs[0])].spec;
    const int scale = add_vector(by.scale, spec.dtype), shift = add_vector(by.shift, spec.dtype);
    const int scaled = add_value(spec, Tensor());
    nodes.push_back(PlanNode{&multiply, multiply.defaults, {node.inputs[0], scale}, {scaled}, ""});
    nodes.push_back(PlanNode{&add, add.defaults, {scaled, shift}, node.outputs, ""});
  }
  g.nodes = std::move(nodes);
}

}  // namespace layernet
