// Tracer: applying an op to symbols adds a node. Variables become references, updates become ordered effects.
#include <unordered_map>

#include "core/error.h"
#include "graph/emitter.h"
#include "layernet/graph.h"

namespace layernet {

namespace {

std::atomic<std::uint64_t> next_sequence{1};

struct TraceState {
  int depth = 0;
  std::vector<Ref<Node>> effects;
  std::unordered_map<const Variable*, Value> reads;  // one reference per variable until it is updated
};
thread_local TraceState state;

Ref<Node> make_node(Node::Kind kind) {
  Ref<Node> node(new Node);
  node->kind = kind;
  node->sequence = next_sequence.fetch_add(1, std::memory_order_relaxed);
  return node;
}

Value output_of(const Ref<Node>& node, std::size_t i) {
  return Value(Ref<ValueBody>(new SymbolBody(node->outputs[i], node, static_cast<int>(i))));
}

Value variable_reference(const std::shared_ptr<Variable>& variable) {
  Ref<Node> node = make_node(Node::Kind::variable);
  node->outputs.push_back(variable->spec());
  node->targets.push_back(variable);
  return output_of(node, 0);
}

void infer_dims(const OpDef& op, const void* attributes, const InSpecs& in, const Values& inputs, Node& node) {
  if (op.dims == nullptr || node.outputs.size() != 1 || node.outputs[0].dtype != DType::int64) return;
  SmallVector<Shape, 4> known;
  known.resize(inputs.size());
  SmallVector<const Shape*, 4> pointers;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    pointers.push_back(inputs[i] && known_dims(inputs[i], &known[i]) ? &known[i] : nullptr);
  Shape result;
  if (op.dims(attributes, in, pointers.data(), &result)) node.known_dims.push_back(std::move(result));
}

}  // namespace

SymbolBody::SymbolBody(Spec s, Ref<Node> n, int out)
    : ValueBody(Kind::symbol, std::move(s)), node(std::move(n)), output(out) {}
SymbolBody::~SymbolBody() = default;

Value placeholder(Spec spec, std::string name) {
  element_count(spec.shape, "Input");
  Ref<Node> node = make_node(Node::Kind::input);
  node->outputs.push_back(std::move(spec));
  node->name = std::move(name);
  return output_of(node, 0);
}

Value read_symbolic(const std::shared_ptr<Variable>& variable) {
  if (state.depth == 0) return variable_reference(variable);
  auto found = state.reads.find(variable.get());
  if (found == state.reads.end()) found = state.reads.emplace(variable.get(), variable_reference(variable)).first;
  return found->second;
}

Values emit_symbolic(const OpDef& op, const void* attributes, Values inputs, const Targets& targets) {
  if (!targets.empty() && state.depth == 0)
    throw GraphError(join(op.name,
                          ": expected to update a variable inside a layer's call, got an update of a symbolic value ",
                          "outside any trace. Put it into a layer's call()."));
  // Before the node is made, so that a reference made here comes before it in the order of the graph.
  for (std::size_t i = 0; i < targets.size(); ++i) inputs[i] = read_symbolic(targets[i]);
  SmallVector<const Spec*, 8> specs;
  for (const Value& v : inputs) specs.push_back(&v.spec());
  const InSpecs in(specs.data(), specs.size());
  Ref<Node> node = make_node(Node::Kind::op);
  node->op = &op;
  node->outputs = op.infer(attributes, in);
  node->attributes = op.keep(attributes);
  node->targets = targets;
  infer_dims(op, attributes, in, inputs, *node);
  node->inputs = std::move(inputs);
  if (!targets.empty()) {
    for (const auto& v : targets) state.reads.erase(v.get());
    state.effects.push_back(node);
  }
  Values results;
  for (std::size_t i = targets.size(); i < node->outputs.size(); ++i) results.push_back(output_of(node, i));
  return results;
}

Trace::Trace() : first_effect_(state.effects.size()) {
  ++state.depth;
}

Trace::~Trace() {
  if (--state.depth == 0) {
    state.effects.clear();
    state.reads.clear();
  }
}

TracePause::TracePause() noexcept : depth_(std::exchange(state.depth, 0)) {}
TracePause::~TracePause() {
  state.depth = depth_;
}

bool Trace::active() noexcept {
  return state.depth != 0;
}

std::vector<Ref<Node>> Trace::effects() const {
  return std::vector<Ref<Node>>(state.effects.begin() + static_cast<std::ptrdiff_t>(first_effect_),
                                state.effects.end());
}

}  // namespace layernet
