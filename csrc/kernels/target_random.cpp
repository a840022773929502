// The random family for one instruction set.
#define LN_FAMILY random
#define LN_FAMILY_random
#include "random.inl.h"

#include "fill.inl.h"
