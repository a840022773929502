// KernelTable: one function pointer per line of kernels.def, filled once per instruction set.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace layernet {
namespace kernels {

struct GemmArgs;
struct WindowDims;

struct KernelTable {
  const char* isa;
#define LN_KERNEL(name, arguments, shapes) void(*name) arguments noexcept;
#define LN_KERNEL_RETURNING(type, name, arguments, shapes) type(*name) arguments noexcept;
#define LN_ALL_FAMILIES  // in a target_<family>.cpp too: every object file sees the same struct
#include "kernels.def"
};

}  // namespace kernels
}  // namespace layernet
