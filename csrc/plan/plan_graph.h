// The form in which passes work on a graph: values and nodes by number. Variables are constants already, or, in a graph
// that updates some, values that are read anew at each run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layernet/graph.h"

namespace layernet {

struct PlanValue {
  Spec spec;
  Tensor constant;       // set when the value is known
  int variable = -1;     // number of the variable whose value this is,
  bool updated = false;  // after an update in the same run
};

struct PlanNode {
  const OpDef* op = nullptr;
  std::shared_ptr<const void> attributes;
  std::vector<int> inputs, outputs;
  std::string detail;  // printed with the node
};

struct PlanGraph {
  std::vector<PlanValue> values;
  std::vector<PlanNode> nodes;
  std::vector<int> inputs, outputs;
  std::vector<std::string> input_names;
  std::vector<std::shared_ptr<Variable>> variables;
  DType weights = DType::float32;  // how constant weights are kept
  bool reshapes = false;  // an op gives its input another shape, also one that happens to be the same and is dropped

  std::string text() const;
};

// Reads the variables, or keeps them as what they are. Throws GraphError when the graph updates variables that are not
// kept, or has sizes that are not known.
PlanGraph make_plan_graph(const Graph& graph, bool keep_variables);

// ---- passes: a file each in passes/, in the order in which build() runs them ----------------------------------------

void drop_identities(PlanGraph& g);
void fold_constants(PlanGraph& g);
void fuse(PlanGraph& g);
void lower_scale_shift(PlanGraph& g);
void chain_elementwise(PlanGraph& g);
void drop_dead(PlanGraph& g);
void fuse_weight_updates(PlanGraph& g);
void order_updates(PlanGraph& g);

// What they share.
void replace_value(PlanGraph& g, int from, int to);
bool is_output(const PlanGraph& g, int value);
int only_reader(const PlanGraph& g, int value);  // the only node that reads `value`, once; else -1
bool is_update(const PlanNode& node);            // it changes variables
void erase_nodes(PlanGraph& g, const std::vector<char>& dead);

// ---- memory ---------------------------------------------------------------------------------------------------------

// A size that hangs on the batch symbol: max(fixed, per_n * N) bytes.
struct BufferSize {
  std::int64_t fixed = 0, per_n = 0;
  std::int64_t at(std::int64_t n) const noexcept {
    const std::int64_t scaled = per_n * n;
    return ((scaled > fixed ? scaled : fixed) + 63) & ~std::int64_t{63};
  }
};
BufferSize buffer_size(const Spec& spec);

// Slots for values with lifetimes: values that do not live at the same time share one.
struct SlotRequest {
  int first_step, last_step;  // inclusive
  BufferSize size;
};
struct SlotPlan {
  std::vector<int> slot;  // per request
  std::vector<BufferSize> sizes;
};
SlotPlan plan_slots(const std::vector<SlotRequest>& requests);

}  // namespace layernet
