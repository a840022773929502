// The unary family for one instruction set.
#define LN_FAMILY unary
#define LN_FAMILY_unary
#include "unary.inl.h"

#include "fill.inl.h"
