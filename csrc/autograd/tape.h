// Tape: reverse-mode differentiation by recording (Griewank and Walther 2008, chapter 3; TensorFlow's GradientTape
// semantics).
//
// A tape remembers each op that was applied to something it tracks, with inputs and outputs; gradient() walks the
// records backwards and lets each op emit its own gradient. Emitted ops go through the thread's current emitter, so an
// outer tape records them (higher orders) and a trace turns them into nodes. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "layernet/op.h"

namespace layernet {

class LAYERNET_API Tape {
 public:
  explicit Tape(bool persistent) : persistent_(persistent) {}
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // Starts and ends recording on this thread. Tapes nest.
  void push();
  void pop() noexcept;
  bool active() const noexcept { return active_; }
  void stop() noexcept { ++stopped_; }
  void resume() noexcept { --stopped_; }
  // Forgets all records and watched values.
  void reset() noexcept;

  void watch(const Value& value);
  void watch(const std::shared_ptr<Variable>& variable);
  std::vector<std::shared_ptr<Variable>> watched_variables() const;

  struct Source {
    Value value;                         // either a value
    std::shared_ptr<Variable> variable;  // or a variable
  };
  // A part of a gradient: rows that add to the source's rows of these numbers (OpDef::row_gradient).
  struct Rows {
    Value rows, numbers;
  };
  // Gradients of the sum of the targets, one per source; empty where nothing connects. `output_gradients` weights the
  // targets (empty entries mean ones). `rows`: null, or where for each source that is a variable the parts are put that
  // consist of few rows; they come in addition to what is returned. A tape that is not persistent is used up: its
  // records are freed on the way.
  Values gradient(const Values& targets, const std::vector<Source>& sources, const Values& output_gradients,
                  std::vector<std::vector<Rows>>* rows = nullptr);

  // For the emitter.
  bool recording() const noexcept { return stopped_ == 0; }
  bool tracks_any(const Values& values) const noexcept;
  void record(const OpDef& op, const void* attributes, const Values& inputs, const Values& outputs);
  void note_read(const std::shared_ptr<Variable>& variable, const Value& value);

 private:
  using Id = std::int32_t;
  static constexpr Id kNone = -1;
  struct Record {
    const OpDef* op;
    std::shared_ptr<const void> attributes;
    Values inputs, outputs;
    SmallVector<Id, 4> input_ids, output_ids;
  };
  struct Watched {
    std::shared_ptr<Variable> variable;
    SmallVector<Id, 2> ids;  // of its values read so far
  };
  // Open addressing from bodies to ids. The tape holds every body in it, so addresses stay theirs.
  class IdMap {
   public:
    Id find(const ValueBody* body) const noexcept;
    void insert(const ValueBody* body, Id id);
    void clear() noexcept;

   private:
    struct Slot {
      const ValueBody* body = nullptr;
      Id id = kNone;
    };
    void grow();
    std::vector<Slot> slots_;
    std::size_t count_ = 0;
  };

  Id track(const Value& value);
  Watched& watched(const std::shared_ptr<Variable>& variable);

  const bool persistent_;
  bool active_ = false;
  int stopped_ = 0;
  Id next_id_ = 0;
  IdMap ids_;
  std::deque<Record> records_;  // stable while a persistent tape records its own gradient
  std::vector<Value> held_;     // watched values
  std::vector<Watched> variables_;
};

}  // namespace layernet
