// Eager: infer, allocate, prepare, run. An op call allocates its outputs and nothing else.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "core/error.h"
#include "core/platform_posix.h"
#include "graph/emitter.h"
#include "layernet/graph.h"

namespace layernet {

namespace {

// Scratch of this thread, kept between calls (at most kKeep bytes, so that one huge call does not pin memory).
class Scratch {
 public:
  void* at_least(std::size_t bytes) {
    if (bytes > capacity_) {
      release();
      const std::size_t rounded = (bytes + 4095) & ~std::size_t{4095};
      data_ = std::aligned_alloc(64, rounded);
      if (data_ == nullptr) throw std::bad_alloc();
      advise_large_pages(data_, rounded);
      capacity_ = rounded;
    }
    return data_;
  }
  void trim() noexcept {
    if (capacity_ > kKeep) release();
  }
  ~Scratch() { release(); }

 private:
  static constexpr std::size_t kKeep = std::size_t{16} << 20;
  void release() noexcept {
    std::free(data_);
    data_ = nullptr;
    capacity_ = 0;
  }
  void* data_ = nullptr;
  std::size_t capacity_ = 0;
};
thread_local Scratch scratch;

using SpecPointers = SmallVector<const Spec*, 8>;

void run_step(const OpDef& op, const void* attributes, const InSpecs& in, const Specs& out, const View* in_views,
              const View* out_views) {
  Step step;
  prepare_step(op, attributes, in, out, nullptr, step);
  void* room = step.scratch_bytes != 0 ? scratch.at_least(static_cast<std::size_t>(step.scratch_bytes)) : nullptr;
  step.run(step, Buffers{in_views, out_views, room});
  if (room != nullptr) scratch.trim();
}

Values emit_update(const OpDef& op, const void* attributes, const Values& inputs, const Targets& targets) {
  // Locks are taken in order of address, so that two updates of the same variables cannot wait for each other.
  SmallVector<std::size_t, 4> order;
  for (std::size_t i = 0; i < targets.size(); ++i) order.push_back(i);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return targets[a].get() < targets[b].get(); });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (targets[order[i]] == targets[order[i - 1]])
      throw InvalidArgumentError(join(op.name, ": expected distinct variables, got one of them twice."));

  SpecPointers specs;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    specs.push_back(i < targets.size() ? &targets[i]->spec() : &inputs[i].spec());
  const InSpecs in(specs.data(), specs.size());
  const Specs out = op.infer(attributes, in);
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (!(out[i] == targets[i]->spec()))
      throw ShapeError(
          join(op.name, ": expected a value of ", targets[i]->spec(), " for the variable, got ", out[i], "."));

  SmallVector<std::unique_ptr<Variable::Update>, 4> updates;
  updates.resize(targets.size());
  for (const std::size_t i : order) updates[i] = std::make_unique<Variable::Update>(*targets[i]);
  SmallVector<Tensor, 4> results;
  SmallVector<View, 8> in_views, out_views;
  for (std::size_t i = 0; i < out.size(); ++i)
    results.push_back(i < targets.size() ? updates[i]->target() : Tensor::empty(out[i]));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor t = i < targets.size() ? updates[i]->current() : inputs[i].tensor();
    in_views.push_back(View{t.mutable_data(), specs[i] != nullptr ? &specs[i]->shape : nullptr});
  }
  for (std::size_t i = 0; i < out.size(); ++i) out_views.push_back(View{results[i].mutable_data(), &out[i].shape});
  run_step(op, attributes, in, out, in_views.data(), out_views.data());
  Values rest;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i < targets.size())
      updates[i]->finish(std::move(results[i]));
    else
      rest.emplace_back(std::move(results[i]));
  }
  return rest;
}

class BaseEmitter final : public Emitter {
 public:
  Values emit(const OpDef& op, const void* attributes, Values inputs, const Targets& targets) override {
    bool symbolic = !targets.empty() && Trace::active();
    for (const Value& v : inputs) symbolic = symbolic || (v && v.is_symbol());
    return symbolic ? emit_symbolic(op, attributes, std::move(inputs), targets)
                    : emit_eager(op, attributes, inputs, targets);
  }
  Value read(const std::shared_ptr<Variable>& variable, bool symbolic) override {
    return symbolic || Trace::active() ? read_symbolic(variable) : Value(variable->value());
  }
};

BaseEmitter base;
thread_local Emitter* thread_emitter = nullptr;

}  // namespace

Values emit_eager(const OpDef& op, const void* attributes, const Values& inputs, const Targets& targets) {
  if (!targets.empty()) return emit_update(op, attributes, inputs, targets);
  SpecPointers specs;
  for (const Value& v : inputs) specs.push_back(&v.spec());
  const InSpecs in(specs.data(), specs.size());
  Specs out = op.infer(attributes, in);
  Values results;
  if (op.view_of >= 0) {
    results.emplace_back(inputs[static_cast<std::size_t>(op.view_of)].tensor().view(std::move(out[0].shape)));
    return results;
  }
  SmallVector<View, 4> in_views, out_views;
  for (const Value& v : inputs) in_views.push_back(View{v.tensor().mutable_data(), &v.shape()});
  for (const Spec& spec : out) {
    Tensor t = Tensor::empty(spec);
    out_views.push_back(View{t.mutable_data(), &t.shape()});
    results.emplace_back(std::move(t));
  }
  run_step(op, attributes, in, out, in_views.data(), out_views.data());
  return results;
}

Emitter& base_emitter() noexcept {
  return base;
}
Emitter& current_emitter() noexcept {
  return thread_emitter != nullptr ? *thread_emitter : base;
}
void set_thread_emitter(Emitter* emitter) noexcept {
  thread_emitter = emitter;
}

}  // namespace layernet
