// OpenBLAS starts its threads while it is loaded, one per CPU it may use; loaded from a thread that is bound to one CPU
// it starts none, and our own pool does the parallelism. Environment variables would do too, but setting them races.
#include "kernels/blas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <mutex>
#include <string>

#include "core/platform_posix.h"

namespace layernet::kernels {
namespace {

struct Blas {
  std::mutex lock;  // held while searching; guards everything but `state`
  std::atomic<BlasStatus::State> state{BlasStatus::not_loaded};
  BlasApi api{};
  char path[4096] = "";
  char detail[512] = "";
};

// Never destroyed: other threads may still compute while the program ends.
Blas& the_blas() noexcept {
  static Blas& blas = *new Blas;
  static const bool registered = [] {
    at_fork([] { the_blas().lock.lock(); }, [] { the_blas().lock.unlock(); }, [] { the_blas().lock.unlock(); });
    return true;
  }();
  (void)registered;
  return blas;
}

template <class F>
bool bind(F& f, void* library, const char* prefix, const char* name) noexcept {
  char symbol[64];
  snprintf(symbol, sizeof symbol, "%s%s", prefix, name);
  f = reinterpret_cast<F>(library_symbol(library, symbol));
  return f != nullptr;
}

bool open_blas(Blas& blas, const std::string& path) noexcept {
  std::string error;
  void* library;
  {
    OneCpuScope one_cpu;
    library = open_library(path, &error);
  }
  if (!library) {
    snprintf(blas.detail, sizeof blas.detail, "%s", error.c_str());
    return false;
  }
  for (const char* prefix : {"scipy_", ""}) {
    BlasApi api;
    if (!bind(api.sgemm, library, prefix, "cblas_sgemm") || !bind(api.dgemm, library, prefix, "cblas_dgemm")) continue;
    void (*set_threads)(int);
    if (bind(set_threads, library, prefix, "openblas_set_num_threads") ||
        bind(set_threads, library, prefix, "MKL_Set_Num_Threads") ||
        bind(set_threads, library, prefix, "bli_thread_set_num_threads"))
      set_threads(1);
    char* (*config)();
    if (bind(config, library, prefix, "openblas_get_config")) snprintf(blas.detail, sizeof blas.detail, "%s", config());
    snprintf(blas.path, sizeof blas.path, "%s", path.c_str());
    blas.api = api;
    return true;
  }
  snprintf(blas.detail, sizeof blas.detail, "%s has no cblas_sgemm and cblas_dgemm", path.c_str());
  close_library(library);
  return false;
}

BlasStatus::State search(Blas& blas) noexcept {
  if (const char* wanted = getenv("LAYERNET_BLAS")) {
    if (*wanted == '\0' || strcmp(wanted, "none") == 0) return BlasStatus::none_found;
    if (open_blas(blas, wanted)) return BlasStatus::loaded;
  }
#if defined(__APPLE__)
  const char* suffix = ".dylib";
#else
  const char* suffix = ".so";
#endif
  const std::string shipped = find_in_folder(own_folder(), "libscipy_openblas", suffix);
  return !shipped.empty() && open_blas(blas, shipped) ? BlasStatus::loaded : BlasStatus::none_found;
}

}  // namespace

const BlasApi* blas() noexcept {
  Blas& blas = the_blas();
  BlasStatus::State state = blas.state.load(std::memory_order_acquire);
  if (state == BlasStatus::not_loaded) {
    std::lock_guard<std::mutex> hold(blas.lock);
    state = blas.state.load(std::memory_order_relaxed);
    if (state == BlasStatus::not_loaded) {
      state = search(blas);
      blas.state.store(state, std::memory_order_release);
    }
  }
  return state == BlasStatus::loaded ? &blas.api : nullptr;
}

BlasStatus blas_status() noexcept {
  Blas& blas = the_blas();
  const BlasStatus::State state = blas.state.load(std::memory_order_acquire);
  if (state == BlasStatus::not_loaded) return {state, "", ""};
  return {state, blas.path, blas.detail};
}

}  // namespace layernet::kernels
