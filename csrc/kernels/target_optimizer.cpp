// The optimizer family for one instruction set.
#define LN_FAMILY optimizer
#define LN_FAMILY_optimizer
#include "optimizer.inl.h"

#include "fill.inl.h"
