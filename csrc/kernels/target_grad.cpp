// The grad family for one instruction set.
#define LN_FAMILY grad
#define LN_FAMILY_grad
#include "grad.inl.h"

#include "fill.inl.h"
