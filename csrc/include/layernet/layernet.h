// Umbrella header of the C++ API.
#pragma once

#include "layernet/dtype.h"
#include "layernet/error.h"
#include "layernet/graph.h"
#include "layernet/op.h"
#include "layernet/plan.h"
#include "layernet/predictor.h"
#include "layernet/predictor_file.h"
#include "layernet/shape.h"
#include "layernet/tensor.h"
