// bench_gemm [f64] [nn|tn|nt] [packed|gemm|amx|amx-packed|blas] [MxKxN ...]: matrix products with bias of the active
// kernels (LAYERNET_ISA) and of BLAS (LAYERNET_BLAS), A or B transposed as the letters say (forward is nn, the
// gradients tn and nt), against the fused multiply-add peak of one core measured in the same run. Run it as `env -u
// OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE bench_gemm`: both settings change what OpenBLAS does.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/blas.h"
#include "kernels/dispatch.h"
#include "kernels/kernel_args.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace layernet::kernels;

namespace {

// Of this thread's CPU time: what other programs take in between is not counted.
double seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Seconds per call: the best of many batches of about 0.5 ms, short enough to fit between other programs' time slices.
template <class F>
double best_time(F f) {
  size_t calls = 1;
  double best = 1e9, total = 0;
  for (int batch = 0; batch < 200 && (batch < 10 || total < 0.2); ++batch) {
    const double start = seconds();
    for (size_t i = 0; i < calls; ++i) f();
    const double time = seconds() - start;
    total += time;
    best = std::min(best, time / static_cast<double>(calls));
    if (batch < 3) calls = std::max<size_t>(1, static_cast<size_t>(5e-4 / std::max(best, 1e-9)));
  }
  return best;
}

// Floating-point operations per second of 12 independent chains of fma, enough for any latency.
#if defined(__x86_64__)
#define CHAINS(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define DEFINE_PEAK(name, isa, vector, set1, fmadd, lanes)             \
  __attribute__((target(isa))) double name() {                         \
    const int n = 100000;                                              \
    const double time = best_time([&]() __attribute__((target(isa))) { \
      const vector half = set1(0.5);                                   \
      CHAINS(PEAK_START)                                               \
      for (int i = 0; i < n; ++i) {                                    \
        CHAINS(PEAK_STEP_##fmadd)                                      \
      }                                                                \
      CHAINS(PEAK_USE)                                                 \
    });                                                                \
    return 2.0 * 12 * n * lanes / time;                                \
  }
#define PEAK_START(i) \
  auto x##i = half;   \
  __asm__("" : "+x"(x##i));
#define PEAK_USE(i) __asm__ volatile("" : : "x"(x##i));
#define PEAK_STEP_ps512(i) x##i = _mm512_fmadd_ps(x##i, half, half);
#define PEAK_STEP_pd512(i) x##i = _mm512_fmadd_pd(x##i, half, half);
#define PEAK_STEP_ps256(i) x##i = _mm256_fmadd_ps(x##i, half, half);
#define PEAK_STEP_pd256(i) x##i = _mm256_fmadd_pd(x##i, half, half);
DEFINE_PEAK(peak_avx512_f32, "avx512f", __m512, _mm512_set1_ps, ps512, 16)
DEFINE_PEAK(peak_avx512_f64, "avx512f", __m512d, _mm512_set1_pd, pd512, 8)
DEFINE_PEAK(peak_avx2_f32, "avx2,fma", __m256, _mm256_set1_ps, ps256, 8)
DEFINE_PEAK(peak_avx2_f64, "avx2,fma", __m256d, _mm256_set1_pd, pd256, 4)
#endif

double peak(const char* isa, bool f64) {
#if defined(__x86_64__)
  if (strncmp(isa, "avx512", 6) == 0 || strcmp(isa, "amx") == 0) return f64 ? peak_avx512_f64() : peak_avx512_f32();
  if (strcmp(isa, "avx2") == 0) return f64 ? peak_avx2_f64() : peak_avx2_f32();
#endif
  (void)isa;
  (void)f64;
  return 0;
}

// Memory aligned as the library's own storage is.
template <class T>
struct Buffer {
  T* p;
  Buffer(size_t n, T value) : p(static_cast<T*>(aligned_alloc(64, (n * sizeof(T) + 127) / 64 * 64))) {
    std::fill(p, p + n, value);
  }
  ~Buffer() { free(p); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  T* data() const { return p; }
  T& operator[](size_t i) const { return p[i]; }
};

template <class T>
void run(const KernelTable& table, size_t m, size_t n, size_t k, double peak_flops, const char* layout,
         const char* only) {
  constexpr bool single = sizeof(T) == 4;
  const Buffer<T> a(m * k, T(0.5)), b(k * n, T(0.25)), c(m * n, T(0)), bias(n, T(1));
  size_t pack_bytes, workspace_bytes;
  if constexpr (single) {
    pack_bytes = table.pack_b_bytes_f32(k, n);
    workspace_bytes = table.gemm_workspace_f32(m, n, k);
  } else {
    pack_bytes = table.pack_b_bytes_f64(k, n);
    workspace_bytes = table.gemm_workspace_f64(m, n, k);
  }
  const Buffer<char> packed_buffer(pack_bytes, 0), workspace_buffer(workspace_bytes, 0);
  void* const packed = packed_buffer.data();
  if constexpr (single)
    table.pack_b_f32(b.data(), n, 1, k, n, packed);
  else
    table.pack_b_f64(b.data(), n, 1, k, n, packed);
  const bool turn_a = layout[0] == 't', turn_b = layout[1] == 't';
  GemmArgs g{};
  g.m = m, g.n = n, g.k = k;
  g.a = a.data(), g.rsa = turn_a ? 1 : k, g.csa = turn_a ? m : 1;
  g.b = b.data(), g.rsb = turn_b ? 1 : n, g.csb = turn_b ? k : 1;
  g.c = c.data(), g.ldc = n;
  g.bias = bias.data();
  g.workspace = workspace_buffer.data();
  const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const double bytes = static_cast<double>(k * n * sizeof(T));
  char size[64];
  snprintf(size, sizeof size, "%zux%zux%zu", m, k, n);
  const auto report = [&](const char* what, double time) {
    printf("%-7s %-16s %-10s %10.1f ns %8.1f GFLOP/s", single ? "f32" : "f64", size, what, time * 1e9,
           flops / time * 1e-9);
    if (peak_flops > 0) printf(" %5.1f%%", flops / time / peak_flops * 100);
    printf(" %7.1f GB/s of B\n", bytes / time * 1e-9);
  };
  const auto wanted = [&](const char* what) { return !only || strcmp(only, what) == 0; };
  GemmArgs with_packed = g;
  with_packed.b = packed;
  if (wanted("packed"))
    report("packed",
           best_time([&] { single ? table.gemm_packed_f32(&with_packed) : table.gemm_packed_f64(&with_packed); }));
  if (wanted("gemm")) report("gemm", best_time([&] { single ? table.gemm_f32(&g) : table.gemm_f64(&g); }));
  if constexpr (single)
    if (table.gemm_amx != nullptr) {
      const Buffer<char> room(table.gemm_amx_workspace(m), 0);
      with_packed.workspace = g.workspace = room.data();
      if (wanted("amx-packed")) report("amx-packed", best_time([&] { table.gemm_packed_amx(&with_packed); }));
      if (wanted("amx")) report("amx", best_time([&] { table.gemm_amx(&g); }));
    }
  const BlasApi* api = wanted("blas") ? blas() : nullptr;
  if (api) {
    const int im = static_cast<int>(m), in = static_cast<int>(n), ik = static_cast<int>(k);
    const int turned_a = turn_a ? kCblasTrans : kCblasNoTrans, turned_b = turn_b ? kCblasTrans : kCblasNoTrans;
    const int lda = turn_a ? im : ik, ldb = turn_b ? ik : in;
    report("blas", best_time([&] {
             if constexpr (single)
               api->sgemm(kCblasRowMajor, turned_a, turned_b, im, in, ik, 1, a.data(), lda, b.data(), ldb, 0, c.data(),
                          in);
             else
               api->dgemm(kCblasRowMajor, turned_a, turned_b, im, in, ik, 1, a.data(), lda, b.data(), ldb, 0, c.data(),
                          in);
             for (size_t i = 0; i < m; ++i)
               for (size_t j = 0; j < n; ++j) c[i * n + j] += bias[j];
           }));
  }
}

template <class T>
void run_all(const char* layout, const char* only, std::vector<std::array<size_t, 3>> sizes) {
  const KernelTable& table = active_kernels();
  const double flops = peak(table.isa, sizeof(T) == 8);
  printf("%s: peak of one core %.1f GFLOP/s; sizes are m x k x n\n", table.isa, flops * 1e-9);
  if (sizes.empty())
    sizes = {{1, 16, 64},        {1, 64, 64},      {1, 64, 4},        {1, 64, 1},        {1, 128, 256},
             {1, 512, 1024},     {1, 1024, 512},   {1, 2048, 2048},   {2, 512, 1024},    {4, 512, 1024},
             {8, 512, 1024},     {16, 512, 1024},  {64, 512, 1024},   {1024, 512, 1024}, {256, 256, 256},
             {1024, 1024, 1024}, {16, 4096, 4096}, {256, 4096, 4096}, {37, 91, 53},      {32, 64, 64},
             {256, 64, 10},      {256, 64, 1}};
  for (const auto& s : sizes) run<T>(table, s[0], s[2], s[1], flops, layout, only);
}

}  // namespace

int main(int argc, char** argv) {
  bool f64 = false;
  const char *layout = "nn", *only = nullptr;
  std::vector<std::array<size_t, 3>> sizes;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "f64") == 0)
      f64 = true;
    else if (strlen(argv[i]) == 2)
      layout = argv[i];
    else if (std::array<size_t, 3> s; sscanf(argv[i], "%zux%zux%zu", &s[0], &s[1], &s[2]) == 3)
      sizes.push_back(s);
    else
      only = argv[i];
  }
  if (f64)
    run_all<double>(layout, only, sizes);
  else
    run_all<float>(layout, only, sizes);
  return 0;
}
