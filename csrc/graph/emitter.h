// The emitters below the tape, and the hook by which a tape comes between a thread and them.
#pragma once

#include "layernet/op.h"

namespace layernet {

// Runs at once; every input is a tensor.
Values emit_eager(const OpDef& op, const void* attributes, const Values& inputs, const Targets& targets);
// Adds a node; tensors among the inputs become constants. Exported, as is the next, for the program that tests the
// reader alone.
LAYERNET_API Values emit_symbolic(const OpDef& op, const void* attributes, Values inputs, const Targets& targets);
LAYERNET_API Value read_symbolic(const std::shared_ptr<Variable>& variable);

// Chooses between the two by the inputs.
Emitter& base_emitter() noexcept;
// What current_emitter() gives on this thread; nullptr is base_emitter().
void set_thread_emitter(Emitter* emitter) noexcept;

// Fills `step` so that it runs the op on these specs. `constants`: nullptr when eager, else one tensor (or none) per
// input; `weights`: as Preparation has it.
void prepare_step(const OpDef& op, const void* attributes, const InSpecs& in, const Specs& out, const Tensor* constants,
                  Step& step, DType weights = DType::float32);

}  // namespace layernet
