// The two steps behind one, and the optimizer's on the rows of a block.
#include "plan/weight_update.h"

#include <algorithm>

#include "graph/emitter.h"
#include "graph/fields.h"

namespace layernet {

namespace {

constexpr std::size_t kMostViews = 16;
constexpr int kMostParts = 4;  // that have scratch; more threads find nothing to do

struct PreparedUpdate {
  Step gradient, optimizer;
  std::size_t variables, numbers, extra;
  std::size_t item, row;  // bytes of an element, elements of a row
  std::int64_t multiple;  // of the batch symbol in the rows of the gradient's inputs; 0: they are fixed
};

// What a block's rows are taken to.
struct Taken {
  const PreparedUpdate& p;
  const Buffers& b;
};

void take_rows(void* context, std::size_t first, std::size_t rows, void* block) {
  const auto& [p, b] = *static_cast<const Taken*>(context);
  const Shape shape{Dim(static_cast<std::int64_t>(rows)), Dim(static_cast<std::int64_t>(p.row))};
  const auto moved = [&](const View& v) {
    return View{static_cast<unsigned char*>(v.data) + first * p.row * p.item, &shape};
  };
  View in[kMostViews], out[kMostUpdated];
  for (std::size_t i = 0; i < p.variables; ++i) {
    in[i] = moved(b.in[i]);
    out[i] = moved(b.out[i]);
  }
  in[p.variables] = View{block, &shape};
  for (std::size_t i = 0; i < p.numbers; ++i) in[p.variables + 1 + i] = b.in[p.variables + i];
  p.optimizer.run(p.optimizer, Buffers{in, out, nullptr});
}

void run_part(const Step& step, const Buffers& b, int part, int parts) noexcept {
  parts = std::min(parts, kMostParts);
  if (part >= parts) return;
  const auto& p = *static_cast<const PreparedUpdate*>(step.constants.get());
  const View* const in = b.in + p.variables + p.numbers;
  // The gradient's own output is never whole: only its shape is read.
  View out[kMostViews];
  out[0] = b.in[0];
  for (std::size_t i = 0; i < p.extra; ++i) out[1 + i] = b.out[p.variables + i];
  const std::int64_t n = p.multiple == 0 ? 0 : in[0].dim(0) / p.multiple;
  const auto room =
      static_cast<std::size_t>(p.gradient.block_bytes + p.gradient.scratch_bytes + p.gradient.scratch_bytes_per_n * n);
  const Buffers own{in, out,
                    static_cast<unsigned char*>(b.scratch) + static_cast<std::size_t>(part) * scratch_part(room)};
  Taken taken{p, b};
  p.gradient.run_blocks(p.gradient, own, part, parts, take_rows, &taken);
}

void run(const Step& step, const Buffers& b) noexcept {
  run_part(step, b, 0, 1);
}

}  // namespace

Specs WeightUpdate::infer(const InSpecs& in) const {
  SmallVector<const Spec*, 8> inputs;
  for (std::size_t i = variables + numbers; i < in.size(); ++i) inputs.push_back(&in[i]);
  const Specs made = gradient->infer(gradient_attributes.get(), InSpecs(inputs.data(), inputs.size()));
  Specs out;
  for (std::size_t i = 0; i < variables; ++i) out.push_back(in[i]);
  for (std::size_t i = 1; i < made.size(); ++i) out.push_back(made[i]);
  return out;
}

void WeightUpdate::prepare(Preparation& p) const {
  auto prepared = std::make_shared<PreparedUpdate>();
  prepared->variables = variables;
  prepared->numbers = numbers;
  prepared->extra = p.outs().size() - variables;
  const Dim rows = p.in(variables + numbers).shape[0];
  prepared->multiple = rows.is_fixed() ? 0 : rows.batch_multiple();
  prepared->item = item_size(p.in(0).dtype);
  prepared->row = static_cast<std::size_t>(p.in(0).shape[1].value());
  SmallVector<const Spec*, 8> of_gradient, of_optimizer;
  Specs made, updated;
  for (std::size_t i = variables + numbers; i < p.in().size(); ++i) of_gradient.push_back(&p.in(i));
  made.push_back(p.in(0));
  for (std::size_t i = variables; i < p.outs().size(); ++i) made.push_back(p.out(i));
  for (std::size_t i = 0; i < variables; ++i) {
    of_optimizer.push_back(&p.in(i));
    updated.push_back(p.out(i));
  }
  of_optimizer.push_back(&p.in(0));
  for (std::size_t i = 0; i < numbers; ++i) of_optimizer.push_back(&p.in(variables + i));
  const Tensor none[kMostViews];  // a plan is being built, and nothing is constant
  prepare_step(*gradient, gradient_attributes.get(), InSpecs(of_gradient.data(), of_gradient.size()), made, none,
               prepared->gradient);
  prepare_step(*optimizer, optimizer_attributes.get(), InSpecs(of_optimizer.data(), of_optimizer.size()), updated, none,
               prepared->optimizer);
  const Step& g = prepared->gradient;
  p.scratch(Dim(kMostParts * (g.block_bytes + g.scratch_bytes + 64)), 1);
  p.scratch(multiply(Dim::batch(), Dim(kMostParts), "weight_update"), static_cast<std::size_t>(g.scratch_bytes_per_n));
  p.work(1, g.flops);
  p.work(Dim::batch(), g.flops_per_n);
  p.keep(std::move(prepared));
  p.run(run, "gemm");
  p.parts(run_part);
}

std::string WeightUpdate::text() const {
  const auto of = [](const OpDef& op, const void* attributes) {
    const std::string a = attributes_text(op, attributes);
    return std::string(op.name) + (a.empty() ? "" : "(" + a + ")");
  };
  return of(*gradient, gradient_attributes.get()) + ", " + of(*optimizer, optimizer_attributes.get());
}

namespace {
OpDef define(int updates) {
  OpTraits traits;
  traits.updates = updates;
  return define_op<WeightUpdate>("weight_update", "[xs]", traits);
}
}  // namespace

const OpDef weight_update_ops[kMostUpdated + 1] = {define(0), define(1), define(2), define(3), define(4)};

}  // namespace layernet
