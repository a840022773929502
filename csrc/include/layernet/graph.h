// Graph: what a network computes, as nodes in order. Built by the Tracer while ops are applied to symbols; read by
// plans, printers and files.
//
// Nodes hold their inputs, so a graph lives as long as a symbol of it does and there is nothing to register or clear; a
// Graph is the part that some outputs (and ordered effects) need, in order of creation, which is an order of execution.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "layernet/op.h"

namespace layernet {

struct LAYERNET_API Node {
  enum class Kind : std::uint8_t { input, variable, op };
  std::atomic<std::int32_t> refs{0};
  Kind kind = Kind::input;
  std::uint64_t sequence = 0;  // creation order in this process
  const OpDef* op = nullptr;
  std::shared_ptr<const void> attributes;
  Values inputs;  // tensors among them are constants
  Specs outputs;
  Targets targets;                   // of updates; for kind variable, the variable
  std::string name;                  // of an input
  SmallVector<Shape, 1> known_dims;  // of an int64 output that follows from shapes (OpDef::dims); empty otherwise

  static void destroy(Node* node) noexcept;
};

// Inputs of a graph.
LAYERNET_API Value placeholder(Spec spec, std::string name = "");
// The dimensions that an int64 symbol or tensor stands for; false when they are not known.
LAYERNET_API bool known_dims(const Value& value, Shape* out);
LAYERNET_API bool depends_on(const Values& outputs, const Values& inputs);

// Makes ops on variables symbolic on this thread, and gathers effects. Nests; effects of an inner trace also belong to
// the outer.
class LAYERNET_API Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  static bool active() noexcept;
  std::vector<Ref<Node>> effects() const;

 private:
  std::size_t first_effect_;
};

// Ops on variables run at once on this thread while one lives, also inside a trace (creating a variable in a layer's
// call).
class LAYERNET_API TracePause {
 public:
  TracePause() noexcept;
  ~TracePause();
  TracePause(const TracePause&) = delete;
  TracePause& operator=(const TracePause&) = delete;

 private:
  int depth_;
};

class LAYERNET_API Graph {
 public:
  // Throws GraphError when an output needs an input that is not listed.
  Graph(std::vector<Value> inputs, std::vector<Value> outputs, std::vector<Ref<Node>> effects = {});

  const std::vector<Value>& inputs() const noexcept { return inputs_; }
  const std::vector<Value>& outputs() const noexcept { return outputs_; }
  const std::vector<Ref<Node>>& nodes() const noexcept { return nodes_; }  // without inputs, in order
  std::string text() const;

 private:
  std::vector<Value> inputs_;
  std::vector<Value> outputs_;
  std::vector<Ref<Node>> nodes_;
};

}  // namespace layernet
