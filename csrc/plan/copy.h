// copy: a value of its own with the same elements. An op of plans only (passes/order_updates.cpp).
#pragma once

#include "layernet/op.h"

namespace layernet {

extern const OpDef copy_op;

}  // namespace layernet
