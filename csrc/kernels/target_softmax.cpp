// The softmax family for one instruction set.
#define LN_FAMILY softmax
#define LN_FAMILY_softmax
#include "softmax.inl.h"

#include "fill.inl.h"
