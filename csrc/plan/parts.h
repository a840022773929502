// An elementwise step by parts, for threads.
#pragma once

#include <cstddef>
#include <vector>

#include "layernet/op.h"

namespace layernet {

// Whether an elementwise step on operands of these shapes can be done by parts: each is like the result, a single
// number, or one vector repeated along the leading axes.
bool splits(const std::vector<const Shape*>& inputs, const Shape& out);

// Part `part` of `parts` of a step that splits: run() on a range of the elements. `items`: bytes of an element of each
// input and output.
void run_elementwise_part(const Step& step, const Buffers& b, std::size_t inputs, std::size_t outputs,
                          const std::size_t* items, int part, int parts) noexcept;

}  // namespace layernet
