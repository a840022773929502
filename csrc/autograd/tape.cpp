// Recording, the walk back, and accumulation of gradients.
#include "autograd/tape.h"

#include <algorithm>

#include "core/error.h"
#include "graph/emitter.h"

namespace layernet {

namespace {

thread_local std::vector<Tape*> active_tapes;

// Applies through the base emitter and tells every tape that recording.
class TapeEmitter final : public Emitter {
 public:
  Values emit(const OpDef& op, const void* attributes, Values inputs, const Targets& targets) override {
    bool tracked = false;
    if (op.differentiable())
      for (const Tape* tape : active_tapes) tracked = tracked || (tape->recording() && tape->tracks_any(inputs));
    if (!tracked) return base_emitter().emit(op, attributes, std::move(inputs), targets);
    Values outputs = base_emitter().emit(op, attributes, inputs, targets);
    for (Tape* tape : active_tapes)
      if (tape->recording() && tape->tracks_any(inputs)) tape->record(op, attributes, inputs, outputs);
    return outputs;
  }
  Value read(const std::shared_ptr<Variable>& variable, bool symbolic) override {
    Value value = base_emitter().read(variable, symbolic);
    for (Tape* tape : active_tapes)
      if (tape->recording()) tape->note_read(variable, value);
    return value;
  }
};

TapeEmitter tape_emitter;

const OpDef& op_named(const char* name) {
  return *find_op(name);
}

Value apply(const OpDef& op, Values inputs) {
  return std::move(current_emitter().emit(op, op.defaults.get(), std::move(inputs), Targets())[0]);
}

// a += b without a new tensor: allowed when nobody else sees a and nobody records.
bool add_in_place(const OpDef& add_op, const Value& a, const Value& b) {
  if (!active_tapes.empty() || !a.is_tensor() || !b.is_tensor() || !(a.spec() == b.spec())) return false;
  if (!a.unique() || static_cast<const TensorBody*>(a.body().get())->storage->refs.load(std::memory_order_acquire) != 1)
    return false;
  const Spec* specs[2] = {&a.spec(), &b.spec()};
  Specs out;
  out.push_back(a.spec());
  Step step;
  prepare_step(add_op, add_op.defaults.get(), InSpecs(specs, 2), out, nullptr, step);
  if (step.scratch_bytes != 0) return false;  // half precision sums take the general way
  void* const data_a = static_cast<const TensorBody*>(a.body().get())->data;
  void* const data_b = static_cast<const TensorBody*>(b.body().get())->data;
  const View in[2] = {{data_a, &a.shape()}, {data_b, &b.shape()}};
  const View result{data_a, &a.shape()};
  step.run(step, Buffers{in, &result, nullptr});
  return true;
}

}  // namespace

// ---- ids ------------------------------------------------------------------------------------------------------------

namespace {
// Bodies are at least 16 bytes apart; the multiplier is 2^64 divided by the golden ratio (Knuth, volume 3, section
// 6.4).
std::size_t hash_of(const ValueBody* body) noexcept {
  return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(body) >> 4) * 0x9E3779B97F4A7C15ull >> 20);
}
}  // namespace

Tape::Id Tape::IdMap::find(const ValueBody* body) const noexcept {
  if (slots_.empty()) return kNone;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash_of(body) & mask;; i = (i + 1) & mask) {
    if (slots_[i].body == body) return slots_[i].id;
    if (slots_[i].body == nullptr) return kNone;
  }
}

void Tape::IdMap::insert(const ValueBody* body, Id id) {
  if (2 * (count_ + 1) > slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash_of(body) & mask;
  while (slots_[i].body != nullptr) i = (i + 1) & mask;
  slots_[i] = Slot{body, id};
  ++count_;
}

void Tape::IdMap::grow() {
  std::vector<Slot> old(std::max<std::size_t>(64, slots_.size() * 2));
  old.swap(slots_);
  count_ = 0;
  for (const Slot& s : old)
    if (s.body != nullptr) insert(s.body, s.id);
}

void Tape::IdMap::clear() noexcept {
  slots_.clear();
  count_ = 0;
}

// ---- recording ------------------------------------------------------------------------------------------------------

Tape::~Tape() {
  if (active_) pop();
}

void Tape::push() {
  if (active_) throw InvalidArgumentError("tape: expected a tape that is not recording yet, got one entered twice.");
  active_tapes.push_back(this);
  active_ = true;
  set_thread_emitter(&tape_emitter);
}

void Tape::pop() noexcept {
  const auto at = std::find(active_tapes.begin(), active_tapes.end(), this);
  if (at != active_tapes.end()) active_tapes.erase(at);
  active_ = false;
  if (active_tapes.empty()) set_thread_emitter(nullptr);
}

void Tape::reset() noexcept {
  ids_.clear();
  records_.clear();
  held_.clear();
  variables_.clear();
  next_id_ = 0;
}

Tape::Id Tape::track(const Value& value) {
  const Id known = ids_.find(value.body().get());
  if (known != kNone) return known;
  ids_.insert(value.body().get(), next_id_);
  return next_id_++;
}

void Tape::watch(const Value& value) {
  if (!is_floating(value.dtype()) || ids_.find(value.body().get()) != kNone) return;
  track(value);
  held_.push_back(value);
}

Tape::Watched& Tape::watched(const std::shared_ptr<Variable>& variable) {
  for (Watched& w : variables_)
    if (w.variable == variable) return w;
  variables_.push_back(Watched{variable, {}});
  return variables_.back();
}

void Tape::watch(const std::shared_ptr<Variable>& variable) {
  watched(variable);
}

std::vector<std::shared_ptr<Variable>> Tape::watched_variables() const {
  std::vector<std::shared_ptr<Variable>> out;
  for (const Watched& w : variables_) out.push_back(w.variable);
  return out;
}

void Tape::note_read(const std::shared_ptr<Variable>& variable, const Value& value) {
  if (!is_floating(value.dtype())) return;
  const Id known = ids_.find(value.body().get());
  if (known != kNone) return;  // read before, or watched
  if (!variable->trainable()) {
    const auto is_it = [&](const Watched& w) { return w.variable == variable; };
    if (std::none_of(variables_.begin(), variables_.end(), is_it)) return;
  }
  watched(variable).ids.push_back(track(value));
  held_.push_back(value);
}

bool Tape::tracks_any(const Values& values) const noexcept {
  for (const Value& v : values)
    if (v && is_floating(v.dtype()) && ids_.find(v.body().get()) != kNone) return true;
  return false;
}

void Tape::record(const OpDef& op, const void* attributes, const Values& inputs, const Values& outputs) {
  records_.emplace_back();
  Record& r = records_.back();
  r.op = &op;
  r.attributes = op.keep(attributes);
  r.inputs = inputs;
  r.outputs = outputs;
  for (const Value& v : inputs) r.input_ids.push_back(v ? ids_.find(v.body().get()) : kNone);
  for (const Value& v : outputs) r.output_ids.push_back(is_floating(v.dtype()) ? track(v) : kNone);
}

// ---- the walk back --------------------------------------------------------------------------------------------------

Values Tape::gradient(const Values& targets, const std::vector<Source>& sources, const Values& output_gradients,
                      std::vector<std::vector<Rows>>* rows) {
  static const OpDef& add_op = op_named("add");
  static const OpDef& ones_op = op_named("ones_like");
  static const OpDef& zeros_op = op_named("zeros_like");
  if (!persistent_ && active_) pop();

  const std::size_t count = static_cast<std::size_t>(next_id_);  // what this call itself records comes after
  const std::size_t record_count = records_.size();
  std::vector<char> is_source(count, 0);
  std::vector<SmallVector<Id, 2>> source_ids(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].variable) {
      for (const Watched& w : variables_)
        if (w.variable == sources[i].variable) source_ids[i] = w.ids;
    } else {
      const Id id = ids_.find(sources[i].value.body().get());
      if (id != kNone) source_ids[i].push_back(id);
    }
    for (const Id id : source_ids[i]) is_source[static_cast<std::size_t>(id)] = 1;
  }

  // Sources whose gradient may be given by rows: variables asked for once.
  std::vector<int> rows_of(count, -1);
  if (rows != nullptr) {
    rows->assign(sources.size(), {});
    for (std::size_t i = 0; i < sources.size(); ++i)
      for (const Id id : source_ids[i]) {
        int& owner = rows_of[static_cast<std::size_t>(id)];
        owner = sources[i].variable && owner == -1 ? static_cast<int>(i) : -2;
      }
  }

  // Which values the sources reach; only their gradients are computed.
  std::vector<char> needed(is_source);
  for (std::size_t i = 0; i < record_count; ++i) {
    const Record& r = records_[i];
    bool any = false;
    for (const Id id : r.input_ids) any = any || (id != kNone && needed[static_cast<std::size_t>(id)] != 0);
    if (any)
      for (const Id id : r.output_ids)
        if (id != kNone) needed[static_cast<std::size_t>(id)] = 1;
  }

  std::vector<Value> grads(count);
  const auto accumulate = [&](Id id, Value g) {
    Value& sum = grads[static_cast<std::size_t>(id)];
    if (!sum) {
      sum = std::move(g);
    } else if (!add_in_place(add_op, sum, g)) {
      sum = apply(add_op, {sum, g});
    }
  };
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Id id = ids_.find(targets[i].body().get());
    if (id == kNone || needed[static_cast<std::size_t>(id)] == 0) continue;
    const bool given = i < output_gradients.size() && output_gradients[i];
    accumulate(id, given ? output_gradients[i] : apply(ones_op, {targets[i]}));
  }

  for (std::size_t i = record_count; i-- > 0;) {
    Record& r = records_[i];
    bool any = false;
    for (const Id id : r.output_ids) any = any || (id != kNone && grads[static_cast<std::size_t>(id)]);
    if (any) {
      Values dy;
      for (std::size_t o = 0; o < r.outputs.size(); ++o) {
        const Id id = r.output_ids[o];
        Value g;
        if (id != kNone) {
          Value& slot = grads[static_cast<std::size_t>(id)];
          g = is_source[static_cast<std::size_t>(id)] != 0 ? slot : std::move(slot);
          slot = is_source[static_cast<std::size_t>(id)] != 0 ? slot : Value();
          if (!g && !r.op->empty_dy) g = apply(zeros_op, {r.outputs[o]});
        }
        dy.push_back(std::move(g));
      }
      SmallVector<bool, 8> wanted;
      bool wants_any = false;
      for (const Id id : r.input_ids) {
        wanted.push_back(id != kNone && needed[static_cast<std::size_t>(id)] != 0);
        wants_any = wants_any || wanted.back();
      }
      if (wants_any) {
        const Call call{r.op, r.attributes.get(), &r.inputs, &r.outputs, wanted.data()};
        const int owner =
            r.op->row_gradient != nullptr && wanted[0] ? rows_of[static_cast<std::size_t>(r.input_ids[0])] : -1;
        Rows part;
        if (owner >= 0 &&
            r.op->row_gradient(r.attributes.get(), current_emitter(), call, dy, &part.rows, &part.numbers)) {
          (*rows)[static_cast<std::size_t>(owner)].push_back(std::move(part));
          wanted[0] = false;
          if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) {
            if (!persistent_) records_.pop_back();
            continue;
          }
        }
        Values dx = r.op->backward(r.attributes.get(), current_emitter(), call, dy);
        dy.clear();
        for (std::size_t k = 0; k < dx.size() && k < wanted.size(); ++k)
          if (wanted[k] && dx[k]) accumulate(r.input_ids[k], std::move(dx[k]));
      }
    }
    if (!persistent_) records_.pop_back();
  }

  Values out;
  for (const SmallVector<Id, 2>& ids : source_ids) {
    Value sum;
    for (const Id id : ids) {
      const Value& g = grads[static_cast<std::size_t>(id)];
      if (g) sum = sum ? apply(add_op, {sum, g}) : g;
    }
    out.push_back(std::move(sum));
  }
  if (!persistent_) {
    ids_.clear();
    held_.clear();
    for (Watched& w : variables_) w.ids.clear();
  }
  return out;
}

}  // namespace layernet
