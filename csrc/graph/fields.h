// Attributes of an op as text, for printing and comparison.
#pragma once

#include <string>

#include "layernet/op.h"

namespace layernet {

// "axis=-1, keepdims=false"; attributes at their default are left out unless `all`.
std::string attributes_text(const OpDef& op, const void* attributes, bool all = false);

}  // namespace layernet
