// The machine's limits on one core: the peak rate of fused multiply-adds, that of bfloat16 products by AMX, and the
// read bandwidth of each level of memory. Compiled on the spot with -march=native -ffp-contract=fast; prints one JSON
// object.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#if defined(__AMX_BF16__) && defined(__linux__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__aarch64__)
#define LN_VECTOR "w"
#else
#define LN_VECTOR "v"
#endif

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
  typedef float type __attribute__((vector_size(Bytes), may_alias));
};

// Twelve named variables instead of an array, which the compiler would keep in memory.
#define EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
constexpr int kChains = 12;

// 12 independent chains hide a latency of 4 cycles at up to 3 operations a cycle.
template <int Bytes>
double fma_gflops() {
  using V = typename Lanes<Bytes>::type;
  constexpr int kSteps = 20000;
  const double seconds = best_seconds(
      [] {
        const V a = V{} + 0.999f, b = V{} + 1e-3f;
#define DECLARE(i) V v##i = {};
#define STEP(i)        \
  v##i = v##i * a + b; \
  asm volatile("" : "+" LN_VECTOR(v##i));
        EACH(DECLARE)
        for (int step = 0; step < kSteps; ++step) {
          EACH(STEP)
        }
      },
      1000);
  return 2.0 * kChains * kSteps * (Bytes / 4) / seconds * 1e-9;
}

template <int Bytes>
double read_gbps(const float* data, size_t bytes) {
  using V = typename Lanes<Bytes>::type;
  const size_t n = bytes / Bytes / kChains * kChains;
  const size_t passes = bytes > (64u << 20) ? 1 : (64u << 20) / bytes;
  const double seconds = best_seconds(
      [&] {
        for (size_t pass = 0; pass < passes; ++pass) {
          const V* v = reinterpret_cast<const V*>(data);
          const V* const end = v + n;
          EACH(DECLARE)
          for (; v < end; v += kChains) {
#define ADD(i) v##i += v[i];
            EACH(ADD)
          }
#define USE(i) asm volatile("" ::LN_VECTOR(v##i));
          EACH(USE)
        }
      },
      12);
  return static_cast<double>(n) * Bytes * static_cast<double>(passes) / seconds * 1e-9;
}

#if defined(__AMX_BF16__) && defined(__linux__)
// The rate of AMX on bfloat16 tiles, four of sums in turn; 0 where the system does not lend them.
double amx_gflops() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  if (syscall(SYS_arch_prctl, kRequestPermission, kTileData) != 0) return 0;
  struct alignas(64) {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } config = {};
  config.palette = 1;
  for (int i = 0; i < 8; ++i) {
    config.row_bytes[i] = 64;
    config.rows[i] = 16;
  }
  asm volatile("ldtilecfg %0" ::"m"(config));
  constexpr int kSteps = 2000;
  const double seconds = best_seconds(
      [] {
        for (int step = 0; step < kSteps; ++step) {
          _tile_dpbf16ps(0, 4, 6);
          _tile_dpbf16ps(1, 5, 6);
          _tile_dpbf16ps(2, 4, 7);
          _tile_dpbf16ps(3, 5, 7);
        }
      },
      1000);
  _tile_release();
  return 4.0 * kSteps * 2 * 16 * 16 * 32 / seconds * 1e-9;
}
#endif

}  // namespace

int main() {
  const size_t largest = 256u << 20;
  std::vector<float> storage(largest / 4 + 16, 1.0f);
  const float* data = storage.data() + (64 - reinterpret_cast<uintptr_t>(storage.data()) % 64) / 4 % 16;
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
#if defined(__AMX_BF16__) && defined(__linux__)
  std::printf(", \"amx_bf16_gflops\": %.1f", amx_gflops());
#endif
  const struct {
    const char* name;
    size_t kib;
  } levels[] = {{"16_KiB", 16}, {"256_KiB", 256}, {"4_MiB", 4096}, {"256_MiB", 262144}};
  for (const auto& level : levels)
    std::printf(", \"read_gbps_%s\": %.1f", level.name, read_gbps<kWide>(data, level.kib << 10));
  std::printf("}\n");
}
