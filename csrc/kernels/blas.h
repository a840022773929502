// A CBLAS library (OpenBLAS) for large eager matrix products, opened on the first product that wants it.
#pragma once

namespace layernet::kernels {

// CBLAS with 32-bit sizes; order, transposition and the rest as in its standard.
constexpr int kCblasRowMajor = 101;
constexpr int kCblasNoTrans = 111;
constexpr int kCblasTrans = 112;

struct BlasApi {
  void (*sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                const float* b, int ldb, float beta, float* c, int ldc);
  void (*dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha, const double* a, int lda,
                const double* b, int ldb, double beta, double* c, int ldc);
};

// The library's functions, or null when there is none. The first call searches: the path in LAYERNET_BLAS ("none" or
// empty: no BLAS), then libscipy_openblas* beside this library. It runs on the calling thread only.
// Thread-safe; a fork never catches the search half done.
const BlasApi* blas() noexcept;

struct BlasStatus {
  enum State { not_loaded, none_found, loaded } state;
  const char* path;    // of the loaded library, else ""
  const char* detail;  // version and build when loaded; otherwise why not, or ""
};
// Reports without loading. The strings live as long as the program.
BlasStatus blas_status() noexcept;

}  // namespace layernet::kernels
