// Plan: prepared steps and where their buffers lie. run() is a loop over steps that call the very functions eager calls
// use.
#include "layernet/plan.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/error.h"
#include "core/platform_posix.h"
#include "core/thread_pool.h"
#include "graph/emitter.h"
#include "plan/parts.h"
#include "plan/plan_graph.h"

namespace layernet {

Plan::~Plan() = default;
Workspace::~Workspace() = default;

namespace {

// Where a value lives during a run.
struct Place {
  enum class Kind : std::uint8_t { none, constant, input, output, slot, variable, updated } kind = Kind::none;
  int index = 0;               // port, slot or variable
  const void* data = nullptr;  // constants
};

struct PlanStep {
  Step step;
  std::shared_ptr<const void> attributes;
  const OpDef* op = nullptr;
  std::uint32_t first_view = 0;  // inputs, then outputs
  std::uint32_t input_count = 0;
  std::vector<int> values;         // of the views
  std::vector<std::size_t> items;  // bytes of an element of each view, where the step can be split by elements
};

// A view that points into memory of the caller and is set at every call.
struct PortView {
  std::uint32_t view;
  std::uint32_t port;
};

struct PortCopy {
  int value;
  std::uint32_t port;
};

class WorkspaceImpl final : public Workspace {
 public:
  ~WorkspaceImpl() override { std::free(memory); }
  std::int64_t n = -1;
  std::vector<Shape> shapes;  // per value
  std::vector<View> views;    // per step input and output
  std::vector<std::int64_t> offsets;
  std::vector<Variable::Update> updates;  // of the variables, while a run lasts
  std::vector<void*> old_values, new_values;
  std::vector<Tensor> held;  // values that are only read, and new ones that are not written in place
  unsigned char* memory = nullptr;
  std::size_t capacity = 0;
  std::int64_t scratch_offset = 0;
};

// A few spare workspaces, taken and given back by atomic exchange: no lock, and none is ever shared.
class WorkspacePool {
 public:
  ~WorkspacePool() {
    for (auto& slot : slots_) delete slot.load();
  }
  Workspace* take() noexcept {
    for (auto& slot : slots_)
      if (slot.load(std::memory_order_relaxed) != nullptr)
        if (Workspace* w = slot.exchange(nullptr, std::memory_order_acquire)) return w;
    return nullptr;
  }
  void give(Workspace* w) noexcept {
    for (auto& slot : slots_) {
      Workspace* none = nullptr;
      if (slot.compare_exchange_strong(none, w, std::memory_order_release)) return;
    }
    delete w;
  }

 private:
  std::array<std::atomic<Workspace*>, 16> slots_{};
};

class PlanImpl final : public Plan {
 public:
  explicit PlanImpl(PlanGraph g);

  const std::vector<PlanPort>& inputs() const noexcept override { return inputs_; }
  const std::vector<PlanPort>& outputs() const noexcept override { return outputs_; }
  std::vector<PlanStepInfo> steps() const override;
  std::string text() const override { return text_; }
  std::uint64_t constant_bytes() const noexcept override { return constant_bytes_; }
  std::int64_t batch_of(const Shape* shapes, std::size_t count) const override;
  void run(std::int64_t n, const void* const* inputs, void* const* outputs,
           Workspace& workspace) const noexcept override;
  void run_threads(int threads, std::int64_t n, const void* const* inputs, void* const* outputs) const override;
  bool updates() const noexcept override { return !variables_.empty(); }
  void update(int threads, std::int64_t n, const void* const* inputs, void* const* outputs,
              double* seconds) const override;
  bool last_axis_only() const noexcept override { return last_axis_; }
  std::vector<double> profile(std::int64_t n, const void* const* inputs, void* const* outputs) const override;
  double work(std::int64_t n) const noexcept override { return flops_ + flops_per_n_ * static_cast<double>(n); }
  std::size_t workspace_bytes(std::int64_t n) const noexcept override {
    return memory_at(by_rows_ ? std::min(n, block_rows_) : n);
  }
  void prepare_for(std::int64_t n, Workspace& workspace) const override;
  std::unique_ptr<Workspace> make_workspace() const override;
  Workspace* take_workspace() const override {
    Workspace* w = spare_.take();
    return w != nullptr ? w : make_workspace().release();
  }
  void give_workspace(Workspace* w) const noexcept override { spare_.give(w); }

 private:
  void prepare_steps(const PlanGraph& g);
  void place_values(const PlanGraph& g);
  void reuse_inputs(const PlanGraph& g);
  void connect_ports();
  std::size_t memory_at(std::int64_t n) const noexcept;
  void choose_block(const PlanGraph& g);
  void layout(std::int64_t n, WorkspaceImpl& w) const noexcept;
  // Rows [first, first + count) of the batch; the whole when the plan does not go by rows.
  void run_rows(std::int64_t first, std::int64_t count, const void* const* inputs, void* const* outputs,
                WorkspaceImpl& w, int threads, double* seconds = nullptr) const noexcept;

  std::vector<PlanPort> inputs_, outputs_;
  std::vector<Spec> specs_;    // per value
  std::vector<int> root_;      // per value: the value whose memory it shares
  std::vector<Place> places_;  // per value
  std::vector<BufferSize> slots_;
  std::vector<PlanStep> steps_;
  std::vector<PortView> input_views_, output_views_, variable_views_, updated_views_;
  std::vector<PortCopy> copies_;  // outputs that are not produced in place
  std::vector<Tensor> constants_;
  std::vector<std::shared_ptr<Variable>> variables_;
  std::vector<char> is_updated_;         // per variable
  std::vector<std::size_t> lock_order_;  // variables by address, so that two runs cannot wait for each other
  std::int64_t scratch_fixed_ = 0, scratch_per_n_ = 0;
  std::uint64_t constant_bytes_ = 0;
  double flops_ = 0, flops_per_n_ = 0;
  bool last_axis_ = false;       // every op acts on the last axis only: any leading axes are rows
  bool by_rows_ = false;         // rows are independent: the plan may run on any block of them
  std::int64_t block_rows_ = 0;  // rows of a block
  std::vector<std::int64_t> input_row_bytes_, output_row_bytes_;  // 0: the same for every block
  std::string text_;
  mutable WorkspacePool spare_;
};

PlanImpl::PlanImpl(PlanGraph g) : text_(g.text()) {
  for (std::size_t i = 0; i < g.inputs.size(); ++i)
    inputs_.push_back(PlanPort{g.values[static_cast<std::size_t>(g.inputs[i])].spec, g.input_names[i]});
  for (const int v : g.outputs) outputs_.push_back(PlanPort{g.values[static_cast<std::size_t>(v)].spec, ""});
  for (const PlanValue& v : g.values) specs_.push_back(v.spec);
  variables_ = g.variables;
  is_updated_.resize(variables_.size(), 0);
  for (const PlanValue& v : g.values)
    if (v.updated) is_updated_[static_cast<std::size_t>(v.variable)] = 1;
  for (std::size_t i = 0; i < variables_.size(); ++i) lock_order_.push_back(i);
  std::sort(lock_order_.begin(), lock_order_.end(),
            [&](std::size_t a, std::size_t b) { return variables_[a].get() < variables_[b].get(); });
  prepare_steps(g);
  place_values(g);
  connect_ports();
  choose_block(g);
}

void PlanImpl::place_values(const PlanGraph& g) {
  const std::size_t count = g.values.size();
  places_.resize(count);
  root_.resize(count);
  for (std::size_t i = 0; i < count; ++i) root_[i] = static_cast<int>(i);
  for (const PlanNode& node : g.nodes)
    if (node.op->view_of >= 0)
      root_[static_cast<std::size_t>(node.outputs[0])] =
          root_[static_cast<std::size_t>(node.inputs[static_cast<std::size_t>(node.op->view_of)])];
  // Constants that no step reads, because it keeps them packed, are let go.
  std::vector<char> read(count, 0);
  for (const PlanStep& s : steps_)
    for (std::size_t i = 0; i < s.input_count; ++i)
      if ((s.step.replaced >> i & 1) == 0) read[static_cast<std::size_t>(s.values[i])] = 1;
  for (const PlanNode& node : g.nodes)
    if (node.op->view_of >= 0)
      read[static_cast<std::size_t>(node.inputs[static_cast<std::size_t>(node.op->view_of)])] = 1;
  for (const int v : g.outputs) read[static_cast<std::size_t>(v)] = 1;
  for (std::size_t i = 0; i < count; ++i)
    if (g.values[i].constant) {
      places_[i].kind = Place::Kind::constant;
      if (read[i] == 0) continue;
      constants_.push_back(g.values[i].constant);
      places_[i].data = g.values[i].constant.data();
    } else if (g.values[i].variable >= 0) {
      places_[i] =
          Place{g.values[i].updated ? Place::Kind::updated : Place::Kind::variable, g.values[i].variable, nullptr};
    }
  for (std::size_t i = 0; i < g.inputs.size(); ++i)
    places_[static_cast<std::size_t>(g.inputs[i])] = Place{Place::Kind::input, static_cast<int>(i), nullptr};
  for (std::size_t i = 0; i < g.outputs.size(); ++i) {
    Place& place = places_[static_cast<std::size_t>(root_[static_cast<std::size_t>(g.outputs[i])])];
    if (place.kind == Place::Kind::none)
      place = Place{Place::Kind::output, static_cast<int>(i), nullptr};
    else
      copies_.push_back(PortCopy{g.outputs[i], static_cast<std::uint32_t>(i)});
  }

  reuse_inputs(g);
  // Lifetimes of what is left, in steps.
  std::vector<int> first(count, -1), last(count, -1);
  for (std::size_t s = 0; s < g.nodes.size(); ++s) {
    const auto use = [&](int v) {
      const auto r = static_cast<std::size_t>(root_[static_cast<std::size_t>(v)]);
      if (first[r] < 0) first[r] = static_cast<int>(s);
      last[r] = static_cast<int>(s);
    };
    for (const int v : g.nodes[s].inputs) use(v);
    for (const int v : g.nodes[s].outputs) use(v);
  }
  for (const PortCopy& c : copies_)
    last[static_cast<std::size_t>(root_[static_cast<std::size_t>(c.value)])] = static_cast<int>(g.nodes.size());
  std::vector<SlotRequest> requests;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < count; ++i)
    if (root_[i] == static_cast<int>(i) && places_[i].kind == Place::Kind::none && first[i] >= 0) {
      requests.push_back(SlotRequest{first[i], last[i], buffer_size(specs_[i])});
      owners.push_back(i);
    }
  SlotPlan plan = plan_slots(requests);
  slots_ = std::move(plan.sizes);
  for (std::size_t i = 0; i < owners.size(); ++i) places_[owners[i]] = Place{Place::Kind::slot, plan.slot[i], nullptr};
  for (std::size_t i = 0; i < count; ++i) places_[i] = places_[static_cast<std::size_t>(root_[i])];
}

// An op's result takes the memory of an input that it is the last to use, where the op allows it. Never memory of the
// caller's inputs or of constants.
void PlanImpl::reuse_inputs(const PlanGraph& g) {
  const auto root = [&](int v) {
    while (root_[static_cast<std::size_t>(v)] != v) v = root_[static_cast<std::size_t>(v)];
    return v;
  };
  std::vector<int> last(g.values.size(), -1);
  for (std::size_t s = 0; s < g.nodes.size(); ++s)
    for (const int v : g.nodes[s].inputs) last[static_cast<std::size_t>(root(v))] = static_cast<int>(s);
  for (const int v : g.outputs) last[static_cast<std::size_t>(root(v))] = static_cast<int>(g.nodes.size());
  std::size_t step = 0;
  for (std::size_t s = 0; s < g.nodes.size(); ++s) {
    const PlanNode& node = g.nodes[s];
    if (node.op->view_of >= 0) continue;
    const std::uint32_t allowed = is_update(node) ? 0 : steps_[step].step.in_place;
    ++step;
    for (std::size_t i = 0; allowed != 0 && i < node.inputs.size(); ++i) {
      if ((allowed >> i & 1) == 0) continue;
      const int from = root(node.inputs[i]), to = root(node.outputs[0]);
      const bool once =
          std::count_if(node.inputs.begin(), node.inputs.end(), [&](int v) { return root(v) == from; }) == 1;
      if (!once || last[static_cast<std::size_t>(from)] != static_cast<int>(s) ||
          places_[static_cast<std::size_t>(from)].kind != Place::Kind::none ||
          !(specs_[static_cast<std::size_t>(from)] == specs_[static_cast<std::size_t>(to)]))
        continue;
      // `to` stays the root: it may be an output of the plan.
      root_[static_cast<std::size_t>(from)] = to;
      break;
    }
  }
  for (std::size_t i = 0; i < root_.size(); ++i) root_[i] = root(static_cast<int>(i));
}

void PlanImpl::prepare_steps(const PlanGraph& g) {
  std::uint32_t views = 0;
  for (const PlanNode& node : g.nodes) {
    if (node.op->view_of >= 0) continue;
    PlanStep s;
    s.op = node.op;
    s.attributes = node.attributes;
    s.first_view = views;
    s.input_count = static_cast<std::uint32_t>(node.inputs.size());
    SmallVector<const Spec*, 8> in;
    SmallVector<Tensor, 4> constants;
    Specs out;
    for (const int v : node.inputs) {
      in.push_back(&specs_[static_cast<std::size_t>(v)]);
      constants.push_back(g.values[static_cast<std::size_t>(v)].constant);
      s.values.push_back(v);
    }
    for (const int v : node.outputs) {
      out.push_back(specs_[static_cast<std::size_t>(v)]);
      s.values.push_back(v);
    }
    prepare_step(*node.op, node.attributes.get(), InSpecs(in.data(), in.size()), out, constants.data(), s.step,
                 g.weights);
    scratch_fixed_ = std::max(scratch_fixed_, s.step.scratch_bytes);
    scratch_per_n_ = std::max(scratch_per_n_, s.step.scratch_bytes_per_n);
    if (s.step.flops == 0 && s.step.flops_per_n == 0) {
      // Ops without an estimate of their own: a few operations for each element they write.
      constexpr double kOperationsPerElement = 4;
      for (const Spec& spec : out) {
        const Dim count = element_count(spec.shape, "plan");
        (count.is_batch() ? s.step.flops_per_n : s.step.flops) +=
            kOperationsPerElement * static_cast<double>(count.is_batch() ? count.batch_multiple() : count.value());
      }
    }
    std::vector<const Shape*> shapes;
    for (const Spec* spec : in) shapes.push_back(&spec->shape);
    if (s.step.elementwise && s.step.scratch_bytes + s.step.scratch_bytes_per_n == 0 && splits(shapes, out[0].shape))
      for (const int v : s.values) s.items.push_back(item_size(specs_[static_cast<std::size_t>(v)].dtype));
    flops_ += s.step.flops;
    flops_per_n_ += s.step.flops_per_n;
    views += static_cast<std::uint32_t>(s.values.size());
    steps_.push_back(std::move(s));
  }
}

void PlanImpl::connect_ports() {
  for (const PlanStep& s : steps_)
    for (std::size_t i = 0; i < s.values.size(); ++i) {
      const Place& place = places_[static_cast<std::size_t>(s.values[i])];
      const PortView port{s.first_view + static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(place.index)};
      if (place.kind == Place::Kind::input) input_views_.push_back(port);
      if (place.kind == Place::Kind::output) output_views_.push_back(port);
      if (place.kind == Place::Kind::variable) variable_views_.push_back(port);
      if (place.kind == Place::Kind::updated) updated_views_.push_back(port);
    }
  for (const Tensor& t : constants_) constant_bytes_ += t.bytes();
  for (const PlanStep& s : steps_) constant_bytes_ += s.step.kept_bytes;
}

// The batch is the first axis of whatever hangs on it, and no op mixes rows: then every block of rows can go through
// the whole plan by itself. A block's intermediate values should stay in the second-level cache (512 kB of the 1 to 2
// MB that server cores have, the rest is for weights), but a block under 64 rows would read the weights too often for
// what a row costs: from memory, at 20 GB/s against 100 GFLOP/s, a weight takes as long to come as 10 rows take to use
// it. A step may ask for more.
void PlanImpl::choose_block(const PlanGraph& g) {
  constexpr std::int64_t kBlockBytes = 512 * 1024, kMost = 4096, kMultiple = 16;
  constexpr std::uint64_t kCachedWeights = std::uint64_t{8} << 20;  // of a third-level cache that others use too
  std::int64_t least = constant_bytes_ > kCachedWeights ? 256 : 64;
  for (const PlanStep& s : steps_) least = std::max(least, s.step.block_rows);
  const auto leads = [&](int v) {
    const Shape& s = specs_[static_cast<std::size_t>(v)].shape;
    return !s.empty() && s[0] == Dim::batch();
  };
  const auto clean = [&](int v) {  // the batch, if at all, as the first axis
    const Shape& s = specs_[static_cast<std::size_t>(v)].shape;
    for (std::size_t i = 0; i < s.size(); ++i)
      if (!s[i].is_fixed() && (i != 0 || !(s[0] == Dim::batch()))) return false;
    return true;
  };
  by_rows_ = !g.inputs.empty() && g.variables.empty();
  for (const PlanNode& node : g.nodes) {
    SmallVector<const Spec*, 8> in;
    bool batch = false;
    for (const int v : node.inputs) {
      in.push_back(&specs_[static_cast<std::size_t>(v)]);
      by_rows_ = by_rows_ && clean(v);
      batch = batch || leads(v);
    }
    for (const int v : node.outputs) by_rows_ = by_rows_ && clean(v) && leads(v) == batch;
    if (batch && node.op->couples_rows != nullptr)
      by_rows_ = by_rows_ && !node.op->couples_rows(node.attributes.get(), InSpecs(in.data(), in.size()));
  }
  for (const int v : g.inputs) by_rows_ = by_rows_ && clean(v);
  for (const int v : g.outputs) by_rows_ = by_rows_ && leads(v);
  last_axis_ = by_rows_ && !g.reshapes;
  for (const PlanStep& s : steps_) last_axis_ = last_axis_ && s.step.last_axis;
  std::int64_t row_bytes = scratch_per_n_;
  for (const BufferSize& s : slots_) row_bytes += s.per_n;
  block_rows_ =
      row_bytes == 0 ? kMost : std::min(kMost, std::max(least, kBlockBytes / row_bytes / kMultiple * kMultiple));
  const auto port_bytes = [&](int v) { return leads(v) ? buffer_size(specs_[static_cast<std::size_t>(v)]).per_n : 0; };
  for (const int v : g.inputs) input_row_bytes_.push_back(port_bytes(v));
  for (const int v : g.outputs) output_row_bytes_.push_back(port_bytes(v));
}

std::vector<PlanStepInfo> PlanImpl::steps() const {
  std::vector<PlanStepInfo> out;
  for (const PlanStep& s : steps_) {
    PlanStepInfo info;
    info.op = s.op->name;
    info.kernel = s.step.kernel_name;
    info.flops = s.step.flops;
    info.flops_per_row = s.step.flops_per_n;
    info.constant_bytes = s.step.kept_bytes;
    for (std::size_t i = 0; i < s.values.size(); ++i) {
      const auto v = static_cast<std::size_t>(s.values[i]);
      std::string& side = i < s.input_count ? info.inputs : info.outputs;
      side += (side.empty() ? "" : ", ") + to_string(specs_[v]);
      if (places_[v].data != nullptr)
        info.constant_bytes += static_cast<std::uint64_t>(fixed_count(specs_[v].shape)) * item_size(specs_[v].dtype);
    }
    out.push_back(std::move(info));
  }
  return out;
}

std::int64_t PlanImpl::batch_of(const Shape* shapes, std::size_t count) const {
  if (count != inputs_.size())
    throw ShapeError(join("predict: expected ", inputs_.size(), " inputs, got ", count, "."));
  std::int64_t n = -1;
  for (std::size_t i = 0; i < count; ++i) {
    const Shape& want = inputs_[i].spec.shape;
    const Shape& got = shapes[i];
    bool fits = want.size() == got.size();
    for (std::size_t d = 0; fits && d < want.size(); ++d) {
      const std::int64_t size = got[d].value();
      if (want[d].is_fixed()) {
        fits = want[d].value() == size;
      } else {
        const std::int64_t c = want[d].batch_multiple();
        fits = size % c == 0 && (n < 0 || n == size / c);
        n = size / c;
      }
    }
    if (!fits) throw ShapeError(join("predict: expected input ", i, " of shape ", want, ", got ", got, "."));
  }
  return n < 0 ? 1 : n;
}

std::size_t PlanImpl::memory_at(std::int64_t n) const noexcept {
  std::int64_t total = 0;
  for (const BufferSize& s : slots_) total += s.at(n);
  return static_cast<std::size_t>(total + ((scratch_fixed_ + scratch_per_n_ * n + 127) & ~std::int64_t{63}));
}

std::unique_ptr<Workspace> PlanImpl::make_workspace() const {
  auto w = std::make_unique<WorkspaceImpl>();
  w->shapes.resize(specs_.size());
  for (std::size_t i = 0; i < specs_.size(); ++i) w->shapes[i] = specs_[i].shape;
  std::size_t views = 0;
  for (const PlanStep& s : steps_) views += s.values.size();
  w->views.resize(views);
  w->offsets.resize(slots_.size());
  w->updates.reserve(variables_.size());
  w->old_values.resize(variables_.size());
  w->new_values.resize(variables_.size());
  w->held.resize(variables_.size());
  return w;
}

void PlanImpl::prepare_for(std::int64_t n, Workspace& workspace) const {
  auto& w = static_cast<WorkspaceImpl&>(workspace);
  if (by_rows_) n = std::min(n, block_rows_);
  if (w.n == n) return;
  const std::size_t need = workspace_bytes(n);
  if (need > w.capacity) {
    std::free(w.memory);
    w.capacity = 0;
    w.n = -1;
    const std::size_t rounded = (need + 4095) & ~std::size_t{4095};
    w.memory = static_cast<unsigned char*>(std::aligned_alloc(64, rounded));
    if (w.memory == nullptr) throw std::bad_alloc();
    advise_large_pages(w.memory, rounded);
    w.capacity = rounded;
  }
  layout(n, w);
}

void PlanImpl::layout(std::int64_t n, WorkspaceImpl& w) const noexcept {
  if (w.n == n) return;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    w.offsets[i] = offset;
    offset += slots_[i].at(n);
  }
  w.scratch_offset = offset;
  for (std::size_t i = 0; i < specs_.size(); ++i)
    for (std::size_t d = 0; d < specs_[i].shape.size(); ++d) w.shapes[i][d] = Dim(specs_[i].shape[d].at(n));
  for (const PlanStep& s : steps_)
    for (std::size_t i = 0; i < s.values.size(); ++i) {
      const auto v = static_cast<std::size_t>(s.values[i]);
      View& view = w.views[s.first_view + i];
      view.shape = &w.shapes[v];
      const Place& place = places_[v];
      if (place.kind == Place::Kind::constant) view.data = const_cast<void*>(place.data);
      if (place.kind == Place::Kind::slot) view.data = w.memory + w.offsets[static_cast<std::size_t>(place.index)];
    }
  w.n = n;
}

namespace {

const void* row_of(const void* base, std::int64_t bytes) noexcept {
  return static_cast<const unsigned char*>(base) + bytes;
}
void* row_of(void* base, std::int64_t bytes) noexcept {
  return static_cast<unsigned char*>(base) + bytes;
}

// Work below which a second thread is not worth waking: about 10 us of one core.
constexpr double kWorthSharing = 3e5;

// One step, its parts on threads of the pool.
void run_shared(const PlanStep& s, const Buffers& buffers, int threads) noexcept {
  struct Shared {
    const PlanStep& s;
    const Buffers& buffers;
    int parts;
  } shared{s, buffers, threads};
  ThreadPool::instance().run(
      threads, threads,
      [](void* context, int part) {
        const auto& job = *static_cast<const Shared*>(context);
        const PlanStep& s = job.s;
        if (s.step.run_part != nullptr)
          s.step.run_part(s.step, job.buffers, part, job.parts);
        else
          run_elementwise_part(s.step, job.buffers, s.input_count, s.values.size() - s.input_count, s.items.data(),
                               part, job.parts);
      },
      &shared);
}

}  // namespace

void PlanImpl::run_rows(std::int64_t first, std::int64_t count, const void* const* inputs, void* const* outputs,
                        WorkspaceImpl& w, int threads, double* seconds) const noexcept {
  layout(count, w);
  for (const PortView& p : input_views_)
    w.views[p.view].data = const_cast<void*>(row_of(inputs[p.port], first * input_row_bytes_[p.port]));
  for (const PortView& p : output_views_)
    w.views[p.view].data = row_of(outputs[p.port], first * output_row_bytes_[p.port]);
  void* scratch = w.memory + w.scratch_offset;
  for (const PlanStep& s : steps_) {
    const View* in = w.views.data() + s.first_view;
    const Buffers buffers{in, in + s.input_count, scratch};
    const bool shared = threads > 1 && (s.step.run_part != nullptr || !s.items.empty()) &&
                        s.step.flops + s.step.flops_per_n * static_cast<double>(count) >= kWorthSharing;
    if (seconds == nullptr) {
      shared ? run_shared(s, buffers, threads) : s.step.run(s.step, buffers);
    } else {
      const auto start = std::chrono::steady_clock::now();
      shared ? run_shared(s, buffers, threads) : s.step.run(s.step, buffers);
      *seconds++ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
  }
  for (const PortCopy& c : copies_) {
    const auto v = static_cast<std::size_t>(c.value);
    const Place& place = places_[v];
    const auto port = static_cast<std::size_t>(place.index);
    const void* from = place.kind == Place::Kind::constant   ? place.data
                       : place.kind == Place::Kind::input    ? row_of(inputs[port], first * input_row_bytes_[port])
                       : place.kind == Place::Kind::output   ? row_of(outputs[port], first * output_row_bytes_[port])
                       : place.kind == Place::Kind::variable ? w.old_values[port]
                       : place.kind == Place::Kind::updated  ? w.new_values[port]
                                                             : w.memory + w.offsets[port];
    std::memcpy(row_of(outputs[c.port], first * output_row_bytes_[c.port]), from,
                static_cast<std::size_t>(fixed_count(w.shapes[v])) * item_size(specs_[v].dtype));
  }
}

void PlanImpl::run(std::int64_t n, const void* const* inputs, void* const* outputs,
                   Workspace& workspace) const noexcept {
  auto& w = static_cast<WorkspaceImpl&>(workspace);
  if (!by_rows_ || n <= block_rows_) return run_rows(0, n, inputs, outputs, w, 1);
  for (std::int64_t first = 0; first < n; first += block_rows_)
    run_rows(first, std::min(block_rows_, n - first), inputs, outputs, w, 1);
}

std::vector<double> PlanImpl::profile(std::int64_t n, const void* const* inputs, void* const* outputs) const {
  std::vector<double> seconds(steps_.size(), 0.0);
  const WorkspaceLease lease(*this, n);
  const std::int64_t block = by_rows_ ? std::max<std::int64_t>(1, std::min(n, block_rows_)) : n;
  std::int64_t first = 0;
  do {
    run_rows(first, std::min(block, n - first), inputs, outputs, static_cast<WorkspaceImpl&>(*lease), 1,
             seconds.data());
    first += block;
  } while (first < n);
  return seconds;
}

void PlanImpl::run_threads(int threads, std::int64_t n, const void* const* inputs, void* const* outputs) const {
  constexpr std::int64_t kLeastRows = 16;  // below this a block does not fill the tiles of the kernels
  if (threads > 1 && work(n) >= 2 * kWorthSharing && by_rows_ && n >= 2 * kLeastRows) {
    // Blocks by size of the batch and of the plan only; who takes which is arbitrary.
    struct Shared {
      const PlanImpl& plan;
      const void* const* inputs;
      void* const* outputs;
      std::int64_t n, rows;
      std::atomic<bool> failed{false};
    } shared{*this, inputs, outputs, n, 0};
    const std::int64_t even = (n + threads - 1) / threads;
    shared.rows = std::min(block_rows_, std::max(kLeastRows, (even + kLeastRows - 1) / kLeastRows * kLeastRows));
    const auto tasks = static_cast<int>((n + shared.rows - 1) / shared.rows);
    ThreadPool::instance().run(
        threads, tasks,
        [](void* context, int task) {
          auto& job = *static_cast<Shared*>(context);
          const std::int64_t first = task * job.rows, count = std::min(job.rows, job.n - first);
          try {
            const WorkspaceLease lease(job.plan, count);
            job.plan.run_rows(first, count, job.inputs, job.outputs, static_cast<WorkspaceImpl&>(*lease), 1);
          } catch (...) {
            job.failed.store(true, std::memory_order_relaxed);
          }
        },
        &shared);
    if (shared.failed.load(std::memory_order_relaxed)) throw std::bad_alloc();
    return;
  }
  const WorkspaceLease lease(*this, n);
  auto& w = static_cast<WorkspaceImpl&>(*lease);
  if (threads > 1 && (!by_rows_ || n <= block_rows_)) return run_rows(0, n, inputs, outputs, w, threads);
  run(n, inputs, outputs, w);
}

void PlanImpl::update(int threads, std::int64_t n, const void* const* inputs, void* const* outputs,
                      double* seconds) const {
  const WorkspaceLease lease(*this, n);
  auto& w = static_cast<WorkspaceImpl&>(*lease);
  // Lets go of the variables however this ends; new values that were not finished are dropped.
  struct Release {
    WorkspaceImpl& w;
    ~Release() {
      for (Tensor& t : w.held) t = Tensor();
      w.updates.clear();
    }
  } const release{w};
  for (const std::size_t i : lock_order_) {
    if (is_updated_[i] == 0) {
      w.held[i] = variables_[i]->value();
      w.old_values[i] = w.held[i].mutable_data();
      continue;
    }
    const Variable::Update& update = w.updates.emplace_back(*variables_[i]);
    w.old_values[i] = w.new_values[i] = update.current().mutable_data();
    if (update.in_place()) continue;
    w.held[i] = update.target();
    w.new_values[i] = w.held[i].mutable_data();
  }
  for (const PortView& p : variable_views_) w.views[p.view].data = w.old_values[p.port];
  for (const PortView& p : updated_views_) w.views[p.view].data = w.new_values[p.port];
  run_rows(0, n, inputs, outputs, w, threads, seconds);
  auto finished = w.updates.begin();
  for (const std::size_t i : lock_order_) {
    if (is_updated_[i] == 0) continue;
    w.new_values[i] == w.old_values[i] ? finished->finish_in_place() : finished->finish(std::move(w.held[i]));
    ++finished;
  }
}

}  // namespace

std::shared_ptr<const Plan> Plan::build_step(const Graph& graph) {
  PlanGraph g = make_plan_graph(graph, true);
  drop_identities(g);
  fold_constants(g);
  fuse(g);
  chain_elementwise(g);
  drop_dead(g);
  fuse_weight_updates(g);
  order_updates(g);
  return std::make_shared<PlanImpl>(std::move(g));
}

std::shared_ptr<const Plan> Plan::build(const Graph& graph, DType weights) {
  PlanGraph g = make_plan_graph(graph, false);
  g.weights = weights;
  drop_identities(g);
  fold_constants(g);
  fuse(g);
  lower_scale_shift(g);
  chain_elementwise(g);
  drop_dead(g);
  return std::make_shared<PlanImpl>(std::move(g));
}

WorkspaceLease::WorkspaceLease(const Plan& plan, std::int64_t n) : plan_(plan), workspace_(plan.take_workspace()) {
  try {
    plan.prepare_for(n, *workspace_);
  } catch (...) {
    plan_.give_workspace(workspace_);
    throw;
  }
}
WorkspaceLease::~WorkspaceLease() {
  plan_.give_workspace(workspace_);
}

}  // namespace layernet
