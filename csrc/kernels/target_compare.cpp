// The compare family for one instruction set.
#define LN_FAMILY compare
#define LN_FAMILY_compare
#include "compare.inl.h"

#include "fill.inl.h"
