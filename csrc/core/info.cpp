// What was built and what runs.
#include "layernet/info.h"

#include <atomic>

#include "core/error.h"
#include "core/platform_posix.h"
#include "kernels/blas.h"
#include "kernels/dispatch.h"
#include "layernet/version.h"

namespace layernet {

namespace {

std::atomic<int> threads{0};  // 0: not asked for yet

std::vector<std::string> names(const char* const* list) {
  std::vector<std::string> out;
  for (; *list != nullptr; ++list) out.emplace_back(*list);
  return out;
}

}  // namespace

BuildInfo build_info() {
  BuildInfo info;
  info.version = LAYERNET_VERSION;
#if defined(__clang__)
  info.compiler = std::string("clang ") + __clang_version__;
#else
  info.compiler = std::string("gcc ") + __VERSION__;
#endif
  info.isas_built = names(kernels::isas_built());
  info.isas_supported = names(kernels::isas_supported());
  info.isa = kernels::active_kernels().isa;
  if (const char* why = kernels::isa_error()) info.isa_error = why;
  const kernels::BlasStatus blas = kernels::blas_status();
  info.blas = blas.state == kernels::BlasStatus::loaded       ? blas.path
              : blas.state == kernels::BlasStatus::none_found ? "none found"
                                                              : "not loaded";
  info.threads = get_num_threads();
  return info;
}

void set_num_threads(int n) {
  if (n < 1) throw InvalidArgumentError(join("set_num_threads: expected at least 1 thread, got ", n, "."));
  threads.store(n < usable_cpus() ? n : usable_cpus(), std::memory_order_relaxed);
}

int get_num_threads() noexcept {
  const int n = threads.load(std::memory_order_relaxed);
  if (n != 0) return n;
  static const int initial = default_thread_count(usable_cpus());  // reads files: once
  return initial;
}

}  // namespace layernet
