// Which values share memory. Slots are chosen by lifetime and kind of size, not by addresses, so that another batch
// size only means evaluating sizes anew: no allocation, no new plan. Linear scan (Poletto and Sarkar 1999): requests by
// first use, each takes the free slot that has to grow least.
#include <algorithm>
#include <numeric>

#include "plan/plan_graph.h"

namespace layernet {

BufferSize buffer_size(const Spec& spec) {
  const Dim count = element_count(spec.shape, "plan");
  const Dim bytes = multiply(count, Dim(static_cast<std::int64_t>(item_size(spec.dtype))), "plan");
  if (bytes.is_unknown())
    throw GraphError("plan: expected sizes that are integers or multiples of the batch, got " + to_string(spec) + ".");
  BufferSize size;
  (bytes.is_batch() ? size.per_n : size.fixed) = bytes.is_batch() ? bytes.batch_multiple() : bytes.value();
  return size;
}

SlotPlan plan_slots(const std::vector<SlotRequest>& requests) {
  constexpr std::int64_t kTypicalBatch = 32;  // weighs growth of sizes that hang on N against fixed ones
  SlotPlan plan;
  plan.slot.assign(requests.size(), -1);
  std::vector<int> free_after;  // last step of each slot's present user
  std::vector<std::size_t> order(requests.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return requests[a].first_step < requests[b].first_step; });
  for (const std::size_t i : order) {
    const SlotRequest& r = requests[i];
    int best = -1;
    std::int64_t best_growth = 0;
    for (std::size_t s = 0; s < plan.sizes.size(); ++s) {
      if (free_after[s] >= r.first_step) continue;
      BufferSize grown = plan.sizes[s];
      grown.fixed = std::max(grown.fixed, r.size.fixed);
      grown.per_n = std::max(grown.per_n, r.size.per_n);
      const std::int64_t growth = grown.at(kTypicalBatch) - plan.sizes[s].at(kTypicalBatch);
      if (best < 0 || growth < best_growth) {
        best = static_cast<int>(s);
        best_growth = growth;
      }
    }
    if (best < 0) {
      best = static_cast<int>(plan.sizes.size());
      plan.sizes.push_back(BufferSize());
      free_after.push_back(-1);
    }
    BufferSize& size = plan.sizes[static_cast<std::size_t>(best)];
    size.fixed = std::max(size.fixed, r.size.fixed);
    size.per_n = std::max(size.per_n, r.size.per_n);
    free_after[static_cast<std::size_t>(best)] = r.last_step;
    plan.slot[i] = best;
  }
  return plan;
}

}  // namespace layernet
