// What the library asks of a POSIX system: which CPUs it may use, pages of memory, and opening a shared library
// quietly.
#pragma once

#include <cstddef>
#include <string>

namespace layernet {

// CPUs in the calling thread's affinity mask; where there are no masks, the CPUs online. At least 1.
int affinity_cpus() noexcept;

// CPUs' worth of time the process's cgroup allows (version 1 or 2, the tightest of the group and its parents), e.g.
// 1.5; 0 when there is no limit. The paths are arguments for the tests' sake.
double cgroup_cpus(const std::string& self_cgroup = "/proc/self/cgroup",
                   const std::string& hierarchy = "/sys/fs/cgroup") noexcept;

// The most threads that can run at once: the affinity mask, cut to whole CPUs of the quota. At least 1.
int usable_cpus() noexcept;

// Threads to start with: LAYERNET_NUM_THREADS if it is a number >= 1, else fallback; never more than usable_cpus().
int default_thread_count(int fallback) noexcept;

// Binds the calling thread to one of its CPUs and gives the old mask back at the end of the scope. A library that sizes
// a thread pool while it is opened then starts none.
class OneCpuScope {
 public:
  OneCpuScope() noexcept;
  ~OneCpuScope();
  OneCpuScope(const OneCpuScope&) = delete;
  OneCpuScope& operator=(const OneCpuScope&) = delete;

 private:
  void* saved_ = nullptr;  // the old mask, or null when nothing was changed
};

// Asks for pages of 2 MB where a block of memory that was just allocated is large, as NumPy does from 4 MB on. With
// pages of 4 KB each is looked up and begun by the prefetchers anew: 100 MB of weights were read at 20 to 21 GB/s, and
// with large ones at 25 to 27 (one row of 1024-4096-4096-1024 on Zen 4, 4.9 and 3.8 ms).
void advise_large_pages(void* data, std::size_t bytes) noexcept;

// Opens a library for its symbols only (RTLD_LOCAL, all bound now). Null on failure, with the reason in error.
void* open_library(const std::string& path, std::string* error) noexcept;
void close_library(void* library) noexcept;
// Address of a symbol or null.
void* library_symbol(void* library, const char* name) noexcept;

// Folder of the shared library (or program) that holds this code; empty when unknown.
std::string own_folder() noexcept;
// Path of the first file, by name, in folder whose name starts with prefix and ends with suffix; empty if none.
std::string find_in_folder(const std::string& folder, const std::string& prefix, const std::string& suffix) noexcept;

// Has fork() take and release something around itself, so that a child never inherits it half done.
void at_fork(void (*before)(), void (*after_in_parent)(), void (*after_in_child)()) noexcept;

}  // namespace layernet
