// The conv family (windows as matrices, pooling, depthwise products) for one instruction set.
#define LN_FAMILY conv
#define LN_FAMILY_conv
#include "conv.inl.h"
#include "depthwise.inl.h"
#include "pool.inl.h"

#include "fill.inl.h"
