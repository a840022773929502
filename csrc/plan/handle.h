// The handle behind c_api.h, for whoever has a plan already (the bindings).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layernet/c_api.h"
#include "layernet/plan.h"

namespace layernet {

// A handle with one reference.
LAYERNET_API layernet_predictor* new_handle(std::shared_ptr<const Plan> plan,
                                            const std::vector<std::string>& output_names = {});

}  // namespace layernet
