// Which kernels run: detection of the CPU's instruction sets and the choice among the tables built.
#pragma once

#include "table.h"

namespace layernet {
namespace kernels {

// The kernels in use: the best instruction set this CPU and its operating system support, or the one LAYERNET_ISA
// names. Chosen on first use, then fixed; safe from any thread.
const KernelTable& active_kernels() noexcept;

// The table of one instruction set, or null if it is not built or the CPU lacks it.
const KernelTable* table_for(const char* isa) noexcept;

// Names, best first, ended by a null pointer: what this library contains, and what of it this CPU can run.
const char* const* isas_built() noexcept;
const char* const* isas_supported() noexcept;

// Why the value of LAYERNET_ISA was not followed, or null if it was (or is not set).
const char* isa_error() noexcept;

}  // namespace kernels
}  // namespace layernet
