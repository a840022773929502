// Eager products through BLAS or our own kernel: results, blocks in any order, and a BLAS that is loaded late, starts
// no thread, leaves the affinity mask alone and survives fork. With LAYERNET_BLAS unset or "none" only our kernel runs.
#include <dirent.h>
#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "check.h"
#include "kernels/blas.h"
#include "kernels/dispatch.h"
#include "kernels/flush.h"
#include "kernels/gemm_auto.h"

using namespace layernet::kernels;

namespace {

int count_threads() {
  int count = 0;
  DIR* dir = opendir("/proc/self/task");
  if (!dir) return 1;
  while (const dirent* entry = readdir(dir)) count += entry->d_name[0] != '.';
  closedir(dir);
  return count;
}

template <class T>
struct Auto;
template <>
struct Auto<float> {
  static GemmPlan plan(const GemmArgs& g) { return plan_gemm_f32(g); }
  static void begin(const GemmPlan& p, const GemmArgs& g) { gemm_begin_f32(p, g); }
  static void block(const GemmPlan& p, const GemmArgs& g, size_t i) { gemm_block_f32(p, g, i); }
  static void run(const GemmPlan& p, const GemmArgs& g) { gemm_auto_f32(p, g); }
  static void part(const GemmArgs& g, size_t i, size_t count) { gemm_part_f32(g, i, count); }
  static auto gradient() { return active_kernels().grad_tanh_f32; }
  static bool prefers_blas(size_t m, size_t n, size_t k) { return prefer_blas_f32(m, n, k); }
};
template <>
struct Auto<double> {
  static GemmPlan plan(const GemmArgs& g) { return plan_gemm_f64(g); }
  static void begin(const GemmPlan& p, const GemmArgs& g) { gemm_begin_f64(p, g); }
  static void block(const GemmPlan& p, const GemmArgs& g, size_t i) { gemm_block_f64(p, g, i); }
  static void run(const GemmPlan& p, const GemmArgs& g) { gemm_auto_f64(p, g); }
  static void part(const GemmArgs& g, size_t i, size_t count) { gemm_part_f64(g, i, count); }
  static auto gradient() { return active_kernels().grad_tanh_f64; }
  static bool prefers_blas(size_t m, size_t n, size_t k) { return prefer_blas_f64(m, n, k); }
};

template <class T>
std::vector<T> numbers(size_t n, uint64_t state) {
  std::vector<T> v(n);
  for (T& x : v) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = static_cast<T>(static_cast<double>(state >> 33) / 1073741824.0 - 1);
  }
  return v;
}

template <class T>
void check_product(size_t m, size_t n, size_t k, bool turn_a, bool turn_b, bool accumulate, int activation) {
  const auto a = numbers<T>(m * k, 1), b = numbers<T>(k * n, 2), bias = numbers<T>(n, 3), before = numbers<T>(m * n, 4);
  std::vector<T> c = before;
  GemmArgs g{};
  g.m = m, g.n = n, g.k = k;
  g.a = a.data(), g.rsa = turn_a ? 1 : k, g.csa = turn_a ? m : 1;
  g.b = b.data(), g.rsb = turn_b ? 1 : n, g.csb = turn_b ? k : 1;
  g.c = c.data(), g.ldc = n;
  g.bias = bias.data();
  g.activation = activation;
  g.accumulate = accumulate;
  const GemmPlan plan = Auto<T>::plan(g);
  CHECK_NOTE(
      plan.way == GemmPlan::with_amx || (plan.way == GemmPlan::with_blas) == (Auto<T>::prefers_blas(m, n, k) && blas()),
      "%zux%zux%zu", m, n, k);
  std::vector<char> memory(plan.workspace + 64);
  g.workspace = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64);
  Auto<T>::run(plan, g);

  std::vector<T> again = before;
  GemmArgs parts = g;
  parts.c = again.data();
  Auto<T>::begin(plan, parts);
  for (size_t block = plan.blocks; block-- > 0;) Auto<T>::block(plan, parts, block);
  CHECK_NOTE(c.empty() || memcmp(c.data(), again.data(), c.size() * sizeof(T)) == 0,
             "%zux%zux%zu: the order of blocks matters", m, n, k);

  // In parts, by any number of threads.
  std::vector<char> room(((n < 128 ? 128 * kGemmRowSlices : n + 128) * k + 64) * sizeof(T) + kAmxParts * plan.workspace + 64);
  parts.workspace = room.data() + (64 - reinterpret_cast<uintptr_t>(room.data()) % 64);
  for (const size_t count : {size_t{1}, size_t{2}, size_t{3}, size_t{7}}) {
    again = before;
    parts.c = again.data();
    for (size_t part = count; part-- > 0;) Auto<T>::part(parts, part, count);
    CHECK_NOTE(c.empty() || memcmp(c.data(), again.data(), c.size() * sizeof(T)) == 0, "%zux%zux%zu in %zu parts", m, n,
               k, count);
  }
  // The product times a derivative: that of the plain product, whole and in parts.
  if (activation == kActTanh && !c.empty()) {
    const auto gate = numbers<T>(m * n, 5);
    std::vector<T> plain = before, gated = before;
    parts.activation = kActNone;
    parts.c = plain.data();
    parts.workspace = g.workspace;
    Auto<T>::run(plan, parts);
    Auto<T>::gradient()(plain.data(), gate.data(), plain.data(), m * n, nullptr);
    parts.activation = kActTanh;
    parts.gate = gate.data();
    parts.c = gated.data();
    Auto<T>::run(plan, parts);
    CHECK_NOTE(memcmp(plain.data(), gated.data(), m * n * sizeof(T)) == 0, "%zux%zux%zu with a gate", m, n, k);
    gated = before;
    parts.workspace = room.data() + (64 - reinterpret_cast<uintptr_t>(room.data()) % 64);
    for (size_t part = 0; part < 2; ++part) Auto<T>::part(parts, part, 2);
    CHECK_NOTE(memcmp(plain.data(), gated.data(), m * n * sizeof(T)) == 0, "%zux%zux%zu with a gate, in parts", m, n,
               k);
  }

  const double epsilon = sizeof(T) == 4 ? 0x1p-23 : 0x1p-52;
  for (size_t i = 0; i < m; i += 1 + m / 13)
    for (size_t j = 0; j < n; j += 1 + n / 17) {
      double sum = static_cast<double>(bias[j]) + (accumulate ? static_cast<double>(before[i * n + j]) : 0),
             size = fabs(sum);
      for (size_t p = 0; p < k; ++p) {
        const double product =
            static_cast<double>(a[i * g.rsa + p * g.csa]) * static_cast<double>(b[p * g.rsb + j * g.csb]);
        sum += product, size += fabs(product);
      }
      if (activation == kActTanh) sum = tanh(sum);
      if (activation == kActRelu) sum = fmax(0, sum);
      const double error = fabs(static_cast<double>(c[i * n + j]) - sum);
      const double bound = 4 * sqrt(static_cast<double>(k) + 2) * epsilon * size;
      if (!CHECK_NOTE(error <= bound, "%zux%zux%zu at [%zu, %zu]: %g > %g", m, n, k, i, j, error, bound)) return;
    }
}

template <class T>
void check_type() {
  const bool no = false, yes = true;
  check_product<T>(3, 5, 7, no, no, no, kActNone);
  check_product<T>(40, 300, 64, no, yes, no, kActTanh);
  check_product<T>(1100, 70, 50, yes, no, yes, kActTanh);
  check_product<T>(0, 5, 7, no, no, no, kActNone);
  check_product<T>(600, 5, 0, no, no, no, kActTanh);
  if (!blas()) return;
  check_product<T>(1100, 2000, 2000, no, no, no, kActTanh);
  check_product<T>(1030, 2000, 2100, yes, no, yes, kActNone);
  check_product<T>(1025, 2048, 2048, no, yes, no, kActRelu);
}

// The sum of two products computed after a fork equals the parent's.
void check_fork(const std::vector<double>& want, GemmArgs g, const GemmPlan& plan) {
  const pid_t child = fork();
  if (child == 0) {
    std::vector<double> c(want.size());
    g.c = c.data();
    gemm_auto_f64(plan, g);
    _exit(blas() && memcmp(c.data(), want.data(), want.size() * sizeof(double)) == 0 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace

int main() {
  CHECK(blas_status().state == BlasStatus::not_loaded);
  check_product<float>(64, 64, 64, false, false, false, kActNone);
  CHECK(blas_status().state == BlasStatus::not_loaded);  // a small product does not load it

  cpu_set_t before, after;
  sched_getaffinity(0, sizeof before, &before);
  const int threads = count_threads();
  const bool found = blas() != nullptr;
  sched_getaffinity(0, sizeof after, &after);
  CHECK(count_threads() == threads);
  CHECK(CPU_EQUAL(&before, &after));
  CHECK((blas_status().state == BlasStatus::loaded) == found);
  printf("BLAS: %s %s\n", found ? blas_status().path : "none", blas_status().detail);

  check_type<float>();
  check_type<double>();
  CHECK(count_threads() == threads);

  if (found) {
    const size_t size = 1024;
    const auto a = numbers<double>(size * size, 5), b = numbers<double>(size * size, 6);
    std::vector<double> c(size * size);
    GemmArgs g{};
    g.m = g.n = g.k = size;
    g.a = a.data(), g.rsa = size, g.csa = 1;
    g.b = b.data(), g.rsb = size, g.csb = 1;
    g.c = c.data(), g.ldc = size;
    const GemmPlan plan = plan_gemm_f64(g);
    CHECK(plan.way == GemmPlan::with_blas && plan.blocks == 2);
    gemm_auto_f64(plan, g);
    check_fork(c, g, plan);
    // BLAS flushes denormals as our kernel does, and gives the caller's mode back.
    const FloatMode mode = get_float_mode() & kFlushBits;
    std::vector<double> tiny(size * size, 0x1p-1060);
    g.a = tiny.data();
    gemm_auto_f64(plan, g);
    if (kFlushBits != 0) CHECK(c[0] == 0);
    CHECK((get_float_mode() & kFlushBits) == mode);
  }
  return check::result();
}
