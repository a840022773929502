// Linux and other POSIX systems. Everything here is best effort: a file that is missing or odd means "no limit".
#include "core/platform_posix.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdint>
#include <new>

namespace layernet {
namespace {

#if defined(__linux__)
// A CPU mask of any size: the kernel refuses (EINVAL) a mask that is shorter than its own.
struct CpuMask {
  cpu_set_t* set = nullptr;
  size_t bytes = 0;
  int cpus = 0;

  bool read() noexcept {
    for (cpus = 1024; cpus <= 1 << 16; cpus *= 4) {
      set = CPU_ALLOC(cpus);
      if (!set) return false;
      bytes = CPU_ALLOC_SIZE(cpus);
      CPU_ZERO_S(bytes, set);
      if (sched_getaffinity(0, bytes, set) == 0) return true;
      CPU_FREE(set);
      set = nullptr;
    }
    return false;
  }
  ~CpuMask() {
    if (set) CPU_FREE(set);
  }
};
#endif

bool read_line(const std::string& path, std::string* line) {
  FILE* file = fopen(path.c_str(), "re");
  if (!file) return false;
  char text[256];
  const bool ok = fgets(text, sizeof text, file) != nullptr;
  fclose(file);
  if (ok) *line = text;
  return ok;
}

// quota / period of one group, 0 when unlimited or unknown.
double group_limit_v2(const std::string& folder) {
  std::string line;
  double quota = 0, period = 0;
  if (!read_line(folder + "/cpu.max", &line)) return 0;
  if (sscanf(line.c_str(), "%lf %lf", &quota, &period) != 2) return 0;  // "max 100000": no limit
  return quota > 0 && period > 0 ? quota / period : 0;
}

double group_limit_v1(const std::string& folder) {
  std::string quota_line, period_line;
  if (!read_line(folder + "/cpu.cfs_quota_us", &quota_line)) return 0;
  if (!read_line(folder + "/cpu.cfs_period_us", &period_line)) return 0;
  const double quota = atof(quota_line.c_str()), period = atof(period_line.c_str());
  return quota > 0 && period > 0 ? quota / period : 0;  // -1: no limit
}

// The tightest limit from group up to the root of the hierarchy: a parent's quota binds its children.
template <class Limit>
double tightest(const std::string& hierarchy, std::string group, Limit limit) {
  double least = 0;
  for (;;) {
    const double here = limit(hierarchy + group);
    if (here > 0 && (least == 0 || here < least)) least = here;
    const size_t slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.erase(slash);
  }
}

bool lists(const std::string& controllers, const char* name) {
  return ("," + controllers + ",").find(std::string(",") + name + ",") != std::string::npos;
}

double cgroup_cpus_or_throw(const std::string& self_cgroup, const std::string& hierarchy) {
  FILE* file = fopen(self_cgroup.c_str(), "re");
  if (!file) return 0;
  double least = 0;
  char text[4096];
  while (fgets(text, sizeof text, file)) {
    // "0::/group" (version 2) or "4:cpu,cpuacct:/group" (version 1)
    std::string line(text);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    double limit = 0;
    if (controllers.empty()) {
      limit = tightest(hierarchy, group, group_limit_v2);
    } else if (lists(controllers, "cpu")) {
      limit = tightest(hierarchy + "/" + controllers, group, group_limit_v1);
      if (limit == 0) limit = tightest(hierarchy + "/cpu", group, group_limit_v1);
    }
    if (limit > 0 && (least == 0 || limit < least)) least = limit;
  }
  fclose(file);
  return least;
}

}  // namespace

int affinity_cpus() noexcept {
#if defined(__linux__)
  CpuMask mask;
  if (mask.read()) return std::max(1, CPU_COUNT_S(mask.bytes, mask.set));
#endif
  return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

double cgroup_cpus(const std::string& self_cgroup, const std::string& hierarchy) noexcept {
  try {
    return cgroup_cpus_or_throw(self_cgroup, hierarchy);
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

int usable_cpus() noexcept {
  const int cpus = affinity_cpus();
  const double quota = cgroup_cpus();
  if (quota <= 0 || quota >= cpus) return cpus;
  return std::max(1, static_cast<int>(quota));
}

int default_thread_count(int fallback) noexcept {
  int count = fallback;
  if (const char* text = getenv("LAYERNET_NUM_THREADS")) {
    char* end = nullptr;
    const long asked = strtol(text, &end, 10);
    if (end != text && *end == '\0' && asked >= 1) count = static_cast<int>(std::min(asked, 1L << 20));
  }
  return std::max(1, std::min(count, usable_cpus()));
}

OneCpuScope::OneCpuScope() noexcept {
#if defined(__linux__)
  auto* old = new (std::nothrow) CpuMask;
  CpuMask one;
  if (old && old->read() && one.read()) {
    int cpu = 0;
    while (cpu < one.cpus && !CPU_ISSET_S(cpu, one.bytes, one.set)) ++cpu;
    CPU_ZERO_S(one.bytes, one.set);
    CPU_SET_S(cpu, one.bytes, one.set);
    if (sched_setaffinity(0, one.bytes, one.set) == 0) {
      saved_ = old;
      return;
    }
  }
  delete old;
#endif
}

OneCpuScope::~OneCpuScope() {
#if defined(__linux__)
  if (!saved_) return;
  auto* old = static_cast<CpuMask*>(saved_);
  sched_setaffinity(0, old->bytes, old->set);
  delete old;
#endif
}

void advise_large_pages([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr std::size_t kLarge = std::size_t{4} << 20, kPage = 4096;
  if (bytes < kLarge) return;
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t first = (begin + kPage - 1) & ~(kPage - 1), last = (begin + bytes) & ~(kPage - 1);
  madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);  // a kernel without them refuses: as before
#endif
}

void* open_library(const std::string& path, std::string* error) noexcept {
  void* library = dlopen(path.c_str(), RTLD_LOCAL | RTLD_NOW);
  if (!library && error) {
    const char* reason = dlerror();
    try {
      *error = reason ? reason : "unknown reason";
    } catch (const std::bad_alloc&) {
    }
  }
  return library;
}

void close_library(void* library) noexcept {
  dlclose(library);
}

void* library_symbol(void* library, const char* name) noexcept {
  return dlsym(library, name);
}

std::string own_folder() noexcept {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void*>(&own_folder), &info) || !info.dli_fname) return {};
  try {
    char* real = realpath(info.dli_fname, nullptr);
    std::string path = real ? real : info.dli_fname;
    free(real);
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
  } catch (const std::bad_alloc&) {
    return {};
  }
}

std::string find_in_folder(const std::string& folder, const std::string& prefix, const std::string& suffix) noexcept {
  DIR* dir = opendir(folder.c_str());
  if (!dir) return {};
  std::string best;
  try {
    while (const dirent* entry = readdir(dir)) {
      const std::string name = entry->d_name;
      if (name.size() < prefix.size() + suffix.size() || name.compare(0, prefix.size(), prefix) != 0 ||
          name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0)
        continue;
      if (best.empty() || name < best) best = name;
    }
    if (!best.empty()) best = folder + "/" + best;
  } catch (const std::bad_alloc&) {
    best.clear();
  }
  closedir(dir);
  return best;
}

void at_fork(void (*before)(), void (*after_in_parent)(), void (*after_in_child)()) noexcept {
  pthread_atfork(before, after_in_parent, after_in_child);
}

}  // namespace layernet
