// The machine's limits on one core: the peak rate of fused multiply-adds and the read bandwidth of each level of memory.
// Compiled on the spot with -march=native; prints one JSON object.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Best of many short runs: an interruption spoils one run only.
template <class F>
double best_seconds(F run, int rounds) {
  double best = 1e9;
  for (int i = 0; i < rounds; ++i) {
    const double start = now();
    run();
    const double seconds = now() - start;
    best = seconds < best ? seconds : best;
  }
  return best;
}

template <int Bytes>
struct Lanes {
  typedef float type __attribute__((vector_size(Bytes), aligned(4), may_alias));  // std::vector aligns to 16 bytes only
};

// 12 independent chains hide a latency of 4 cycles at up to 3 operations a cycle.
template <int Bytes>
double fma_gflops() {
  using V = typename Lanes<Bytes>::type;
  constexpr int kChains = 12, kSteps = 100000;
  V acc[kChains] = {};
  V a = V{} + 0.999f, b = V{} + 1e-3f;
  const double seconds = best_seconds(
      [&] {
        for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
          for (int c = 0; c < kChains; ++c) {
            acc[c] = acc[c] * a + b;
            asm volatile("" : "+x"(acc[c]));
          }
        }
      },
      200);
  return 2.0 * kChains * kSteps * (Bytes / 4) / seconds * 1e-9;
}

template <int Bytes>
double read_gbps(const std::vector<float>& data, size_t bytes) {
  using V = typename Lanes<Bytes>::type;
  const V* v = reinterpret_cast<const V*>(data.data());
  const size_t n = bytes / Bytes / 8 * 8;
  const size_t passes = bytes > (64u << 20) ? 1 : (64u << 20) / bytes;
  const double seconds = best_seconds(
      [&] {
        for (size_t p = 0; p < passes; ++p) {
          V s[8] = {};
          for (size_t i = 0; i < n; i += 8) {
#pragma GCC unroll 8
            for (int c = 0; c < 8; ++c) s[c] += v[i + c];
          }
          for (int c = 0; c < 8; ++c) asm volatile("" ::"x"(s[c]));
        }
      },
      12);
  return static_cast<double>(n) * Bytes * static_cast<double>(passes) / seconds * 1e-9;
}

}  // namespace

int main() {
  std::vector<float> data((256u << 20) / 4, 1.0f);
#if defined(__AVX512F__)
  constexpr int kWide = 64;
#elif defined(__AVX__)
  constexpr int kWide = 32;
#else
  constexpr int kWide = 16;
#endif
  std::printf("{\"fma_gflops_%d_bit\": %.1f", kWide * 8, fma_gflops<kWide>());
#if defined(__AVX512F__)
  std::printf(", \"fma_gflops_256_bit\": %.1f", fma_gflops<32>());
#endif
  const struct {
    const char* name;
    size_t kib;
  } levels[] = {{"16_KiB", 16}, {"256_KiB", 256}, {"4_MiB", 4096}, {"256_MiB", 262144}};
  for (const auto& level : levels)
    std::printf(", \"read_gbps_%s\": %.1f", level.name, read_gbps<kWide>(data, level.kib << 10));
  std::printf("}\n");
}
