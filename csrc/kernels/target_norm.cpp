// The norm family for one instruction set.
#define LN_FAMILY norm
#define LN_FAMILY_norm
#include "norm.inl.h"

#include "fill.inl.h"
