// The reduce family for one instruction set.
#define LN_FAMILY reduce
#define LN_FAMILY_reduce
#include "reduce.inl.h"

#include "fill.inl.h"
