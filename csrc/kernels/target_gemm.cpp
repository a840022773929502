// The gemm family for one instruction set.
#define LN_FAMILY gemm
#define LN_FAMILY_gemm
#include "gemm.inl.h"

#include "fill.inl.h"
