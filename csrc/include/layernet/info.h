// What was built and what runs.
#pragma once

#include <string>
#include <vector>

#include "layernet/export.h"

namespace layernet {

struct BuildInfo {
  std::string version, compiler;
  std::vector<std::string> isas_built, isas_supported;
  std::string isa;        // the active one
  std::string isa_error;  // why LAYERNET_ISA was not followed; empty when it was, or is not set
  std::string blas;       // "not loaded", "none found", or the path
  int threads = 1;
};
LAYERNET_API BuildInfo build_info();

// Threads that training and eager products may use; the predictor has a number of its own.
LAYERNET_API void set_num_threads(int threads);
LAYERNET_API int get_num_threads() noexcept;

}  // namespace layernet
