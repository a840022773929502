// The copy family for one instruction set.
#define LN_FAMILY copy
#define LN_FAMILY_copy
#include "copy.inl.h"

#include "fill.inl.h"
