// The conv family (convolution helpers and pooling) for one instruction set.
#define LN_FAMILY conv
#define LN_FAMILY_conv
#include "pool.inl.h"

#include "fill.inl.h"
