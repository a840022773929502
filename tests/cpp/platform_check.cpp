// What the library asks of the operating system: CPU counts, cgroup quotas of both versions, one-CPU scope, libraries.
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "check.h"
#include "core/platform_posix.h"
#include "kernels/blas.h"

using namespace layernet;

namespace {

void write_file(const std::string& path, const char* text) {
  FILE* file = fopen(path.c_str(), "w");
  if (!CHECK(file != nullptr)) return;
  fputs(text, file);
  fclose(file);
}

void check_cgroups(const std::string& root) {
  const std::string self = root + "/self", v2 = root + "/v2", v1 = root + "/v1";
  for (const std::string& folder : {v2, v2 + "/a", v2 + "/a/b", v1, v1 + "/cpu,cpuacct", v1 + "/cpu,cpuacct/job"})
    mkdir(folder.c_str(), 0700);

  CHECK(cgroup_cpus(root + "/absent", v2) == 0);
  write_file(self, "0::/a/b\n");
  CHECK(cgroup_cpus(self, v2) == 0);  // no cpu.max anywhere
  write_file(v2 + "/a/b/cpu.max", "max 100000\n");
  CHECK(cgroup_cpus(self, v2) == 0);
  write_file(v2 + "/a/cpu.max", "250000 100000\n");
  CHECK(cgroup_cpus(self, v2) == 2.5);  // the parent's quota binds
  write_file(v2 + "/a/b/cpu.max", "150000 100000\n");
  CHECK(cgroup_cpus(self, v2) == 1.5);
  write_file(self, "0::/\n");
  CHECK(cgroup_cpus(self, v2) == 0);
  write_file(v2 + "/cpu.max", "400000 100000\n");  // a container sees its own group as the root
  CHECK(cgroup_cpus(self, v2) == 4);
  write_file(v2 + "/cpu.max", "nonsense\n");
  CHECK(cgroup_cpus(self, v2) == 0);

  write_file(self, "12:memory:/job\n4:cpu,cpuacct:/job\n1:name=systemd:/x\n");
  CHECK(cgroup_cpus(self, v1) == 0);
  write_file(v1 + "/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
  write_file(v1 + "/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  CHECK(cgroup_cpus(self, v1) == 0);
  write_file(v1 + "/cpu,cpuacct/job/cpu.cfs_quota_us", "50000\n");
  CHECK(cgroup_cpus(self, v1) == 0.5);
}

}  // namespace

int main() {
  CHECK(affinity_cpus() >= 1);
  CHECK(usable_cpus() >= 1 && usable_cpus() <= affinity_cpus());

  unsetenv("LAYERNET_NUM_THREADS");
  CHECK(default_thread_count(1) == 1);
  CHECK(default_thread_count(1 << 20) == usable_cpus());
  setenv("LAYERNET_NUM_THREADS", "1", 1);
  CHECK(default_thread_count(1 << 20) == 1);
  for (const char* bad : {"0", "-3", "two", "2x", ""}) {
    setenv("LAYERNET_NUM_THREADS", bad, 1);
    CHECK(default_thread_count(1) == 1);
  }
  setenv("LAYERNET_NUM_THREADS", "99999999999999", 1);
  CHECK(default_thread_count(1) == usable_cpus());

#if defined(__linux__)
  cpu_set_t before, after;
  sched_getaffinity(0, sizeof before, &before);
  {
    OneCpuScope one;
    CHECK(affinity_cpus() == 1);
  }
  sched_getaffinity(0, sizeof after, &after);
  CHECK(CPU_EQUAL(&before, &after));
#endif

  std::string error;
  CHECK(open_library("/nonexistent/library.so", &error) == nullptr);
  CHECK(!error.empty());
  CHECK(!own_folder().empty());
  CHECK(find_in_folder("/nonexistent", "lib", ".so").empty());

  std::string root = (std::filesystem::temp_directory_path() / "layernet_platform_XXXXXX").string();
  if (CHECK(mkdtemp(root.data()) != nullptr)) {
    check_cgroups(root);
    write_file(root + "/libb-2.so", "");
    write_file(root + "/libb-1.so", "");
    write_file(root + "/libb-0.so.bak", "");
    CHECK(find_in_folder(root, "libb", ".so") == root + "/libb-1.so");
    const int removed = system(("rm -r " + root).c_str());
    CHECK(removed == 0);
  }
  CHECK(kernels::blas_status().state == kernels::BlasStatus::not_loaded);  // nothing above wants it
  return check::result();
}
