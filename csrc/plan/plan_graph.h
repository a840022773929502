// The form in which passes work on a graph: values and nodes by number, variables already constants.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layernet/graph.h"

namespace layernet {

struct PlanValue {
  Spec spec;
  Tensor constant;  // set when the value is known
};

struct PlanNode {
  const OpDef* op = nullptr;
  std::shared_ptr<const void> attributes;
  std::vector<int> inputs, outputs;
};

struct PlanGraph {
  std::vector<PlanValue> values;
  std::vector<PlanNode> nodes;
  std::vector<int> inputs, outputs;
  std::vector<std::string> input_names;

  std::string text() const;
};

// Reads the variables. Throws GraphError when the graph updates variables or has sizes that are not known.
PlanGraph make_plan_graph(const Graph& graph);

// ---- passes, in the order in which build() runs them ----------------------------------------------------------------

void drop_identities(PlanGraph& g);  // identity and stop_gradient
void fold_constants(PlanGraph& g);   // ops whose inputs are all constants are run once, now
void fuse(PlanGraph& g);             // ops absorb the one op that uses their result (OpDef::absorb)
void drop_dead(PlanGraph& g);        // nodes that no output needs

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
