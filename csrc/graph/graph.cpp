// Graph: the part of the recorded nodes that some outputs need, in order.
#include "layernet/graph.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "core/convert.h"
#include "core/error.h"
#include "graph/fields.h"

namespace layernet {

// A chain of a million nodes must not be freed by a million nested calls: inputs are moved to a list first.
void Node::destroy(Node* node) noexcept {
  thread_local std::vector<Values> pending;
  thread_local bool running = false;
  if (!node->inputs.empty()) pending.push_back(std::move(node->inputs));
  delete node;
  if (running) return;
  running = true;
  while (!pending.empty()) {
    Values last = std::move(pending.back());
    pending.pop_back();
    last.clear();
  }
  running = false;
}

bool known_dims(const Value& value, Shape* out) {
  if (value.dtype() != DType::int64 && value.dtype() != DType::int32) return false;
  if (value.is_symbol()) {
    const SymbolBody& symbol = value.symbol();
    if (symbol.node->known_dims.empty()) return false;
    *out = symbol.node->known_dims[0];
    return true;
  }
  const Tensor t = value.tensor();
  out->clear();
  for (std::int64_t i = 0; i < t.size(); ++i)
    out->push_back(Dim::from_code(t.dtype() == DType::int64 ? t.as<std::int64_t>()[i] : t.as<std::int32_t>()[i]));
  return true;
}

namespace {

using Key = std::pair<const Node*, int>;

Key key_of(const Value& v) {
  return Key(v.symbol().node.get(), v.symbol().output);
}

bool contains(const std::vector<Key>& keys, const Key& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// Every node from which `roots` can be reached without passing an input.
template <class Visit>
void walk(std::vector<const Node*> stack, const std::vector<Key>& stops, Visit&& visit) {
  std::unordered_set<const Node*> seen;
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    if (!seen.insert(node).second) continue;
    if (!visit(*node)) return;
    for (const Value& v : node->inputs)
      if (v && v.is_symbol() && !contains(stops, key_of(v))) stack.push_back(v.symbol().node.get());
  }
}

}  // namespace

bool depends_on(const Values& outputs, const Values& inputs) {
  std::vector<Key> keys;
  for (const Value& v : inputs)
    if (v.is_symbol()) keys.push_back(key_of(v));
  std::vector<const Node*> roots;
  for (const Value& v : outputs) {
    if (!v.is_symbol()) continue;
    if (contains(keys, key_of(v))) return true;
    roots.push_back(v.symbol().node.get());
  }
  bool found = false;
  walk(std::move(roots), {}, [&](const Node& node) {
    for (const Value& v : node.inputs) found = found || (v && v.is_symbol() && contains(keys, key_of(v)));
    return !found;
  });
  return found;
}

Graph::Graph(std::vector<Value> inputs, std::vector<Value> outputs, std::vector<Ref<Node>> effects)
    : inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
  std::vector<Key> stops;
  for (const Value& v : inputs_) {
    if (!v.is_symbol()) throw GraphError("graph: expected symbolic inputs, got an array. Use Input(shape).");
    if (contains(stops, key_of(v))) throw GraphError("graph: expected distinct inputs, got one of them twice.");
    stops.push_back(key_of(v));
  }
  std::vector<const Node*> roots;
  for (const Value& v : outputs_)
    if (v.is_symbol() && !contains(stops, key_of(v))) roots.push_back(v.symbol().node.get());
  for (const Ref<Node>& node : effects) roots.push_back(node.get());
  walk(std::move(roots), stops, [&](const Node& node) {
    if (node.kind == Node::Kind::input)
      throw GraphError(join("graph: expected every input to be listed, got an output that needs the unlisted input '",
                            node.name, "' of shape ", node.outputs[0].shape, ". Add it to the inputs."));
    nodes_.emplace_back(const_cast<Node*>(&node));
    return true;
  });
  std::sort(nodes_.begin(), nodes_.end(),
            [](const Ref<Node>& a, const Ref<Node>& b) { return a->sequence < b->sequence; });
}

std::string Graph::text() const {
  using layernet::text;  // of a number; the member has the same name
  std::map<Key, std::string> names;
  std::string s;
  int next = 0;
  auto label = [&](const Key& key) { return names[key] = "%" + std::to_string(next++); };
  auto refer = [&](const Value& v) -> std::string {
    if (!v) return "_";
    if (v.is_symbol()) return names.at(key_of(v));
    if (v.rank() == 0) return text(load_scalar(v.tensor().data(), v.dtype()));
    return "constant " + to_string(v.spec());
  };
  for (const Value& v : inputs_) s += label(key_of(v)) + " = input : " + to_string(v.spec()) + "\n";
  for (const Ref<Node>& node : nodes_) {
    std::string line;
    for (std::size_t i = 0; i < node->outputs.size(); ++i)
      line += (i ? ", " : "") + label(Key(node.get(), static_cast<int>(i)));
    line += " = ";
    if (node->kind == Node::Kind::variable) {
      line += "variable";
    } else {
      line += std::string(node->op->name) + "(";
      for (std::size_t i = 0; i < node->inputs.size(); ++i) line += (i ? ", " : "") + refer(node->inputs[i]);
      const std::string attributes = attributes_text(*node->op, node->attributes.get());
      line += (attributes.empty() ? "" : "; " + attributes) + ")";
    }
    line += " : ";
    for (std::size_t i = 0; i < node->outputs.size(); ++i) line += (i ? ", " : "") + to_string(node->outputs[i]);
    s += line + "\n";
  }
  s += "return ";
  for (std::size_t i = 0; i < outputs_.size(); ++i) s += (i ? ", " : "") + refer(outputs_[i]);
  return s + "\n";
}

}  // namespace layernet
