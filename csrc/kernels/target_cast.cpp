// The cast family for one instruction set.
#define LN_FAMILY cast
#define LN_FAMILY_cast
#include "cast.inl.h"

#include "fill.inl.h"
