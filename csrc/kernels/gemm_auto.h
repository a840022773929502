// Eager matrix products: BLAS or our own kernel, chosen by size. (A plan with packed weights calls gemm_packed itself.)
// The product is cut into blocks of rows whose number depends on sizes and strides only; threads may take the blocks in
// any order and the bits stay the same.
#pragma once

#include <stddef.h>

#include "kernel_args.h"

namespace layernet::kernels {

struct KernelTable;

struct GemmPlan {
  enum Way { own, own_packed, with_blas, with_amx } way;
  size_t block_rows, blocks;
  size_t workspace;  // bytes for args.workspace, 64-byte aligned, shared by the blocks; may be 0
};

// Chooses from sizes and strides of args; pointers are not read. May load BLAS (see blas.h).
GemmPlan plan_gemm_f32(const GemmArgs& args) noexcept;
GemmPlan plan_gemm_f64(const GemmArgs& args) noexcept;

// Runs one product: begin once, then every block 0 .. blocks - 1, each on any thread.
void gemm_begin_f32(const GemmPlan& plan, const GemmArgs& args) noexcept;
void gemm_begin_f64(const GemmPlan& plan, const GemmArgs& args) noexcept;
void gemm_block_f32(const GemmPlan& plan, const GemmArgs& args, size_t block) noexcept;
void gemm_block_f64(const GemmPlan& plan, const GemmArgs& args, size_t block) noexcept;

// The same product in `parts` parts, each on any thread, without begin. Whatever their number, the bits are those of
// the whole. The workspace holds k * (n + 64) elements, and where n < 128 kGemmRowSlices * k * 128; with AMX what the
// plan says kAmxParts times (further parts do without).
constexpr size_t kGemmRowSlices = 4, kAmxParts = 4;
void gemm_part_f32(const GemmArgs& args, size_t part, size_t parts) noexcept;
void gemm_part_f64(const GemmArgs& args, size_t part, size_t parts) noexcept;
// What of C a part computes, where BLAS does not.
struct GemmSlice {
  size_t first_row, rows, first_column, columns;
};
GemmSlice gemm_slice(const GemmPlan& plan, const GemmArgs& args, size_t part, size_t parts) noexcept;

// The same product by blocks of rows that need not lie together, on one thread: begin once, then rows [first, first +
// count) to c in any order. The bits are those of the whole, but where that is left to BLAS. The workspace holds k * (n
// + 128) elements, or gemm_amx_workspace(SIZE_MAX) bytes.
struct GemmRows {
  bool amx;
  size_t multiple;  // of rows that fill the tiles
};
GemmRows gemm_rows_begin_f32(const GemmArgs& args) noexcept;
GemmRows gemm_rows_begin_f64(const GemmArgs& args) noexcept;
void gemm_rows_f32(const GemmRows& way, const GemmArgs& args, size_t first, size_t count, void* c) noexcept;
void gemm_rows_f64(const GemmRows& way, const GemmArgs& args, size_t first, size_t count, void* c) noexcept;

// Everything on the calling thread.
void gemm_auto_f32(const GemmPlan& plan, const GemmArgs& args) noexcept;
void gemm_auto_f64(const GemmPlan& plan, const GemmArgs& args) noexcept;

// Whether AMX is there (gemm_amx.inl.h) and faster for float32 products of these sizes; with packed B whether it is for
// any number of rows, so that the bits of a row do not depend on it: that is where B does not fit into L2, which on
// CPUs with AMX has 2 MB.
bool prefer_amx(const KernelTable& table, size_t m, size_t n, size_t k) noexcept;
bool prefer_packed_amx(const KernelTable& table, size_t n, size_t k) noexcept;

// The size rule, true where BLAS is expected to be faster; see gemm_auto.cpp for the measurement.
bool prefer_blas_f32(size_t m, size_t n, size_t k) noexcept;
bool prefer_blas_f64(size_t m, size_t n, size_t k) noexcept;

}  // namespace layernet::kernels
