// The binary family for one instruction set.
#define LN_FAMILY binary
#define LN_FAMILY_binary
#include "binary.inl.h"

#include "fill.inl.h"
