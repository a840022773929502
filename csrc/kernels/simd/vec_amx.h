// AMX: the vectors are those of AVX-512.
#pragma once

#include "vec_avx512.h"
