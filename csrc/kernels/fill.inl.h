// Ends every target_<family>.cpp: defines fill_<family>_<isa>(KernelTable*), the only symbol the object file exports.
// It enters the family's kernels into the table; a kernel listed in kernels.def without a definition does not compile.
#include "simd/target.h"
#include "table.h"

#define LN_FILL LN_CAT(LN_CAT(fill_, LN_FAMILY), LN_CAT(_, LN_TARGET))

namespace layernet {
namespace kernels {

void LN_FILL(KernelTable* table) noexcept;
void LN_FILL(KernelTable* table) noexcept {
#define LN_KERNEL(name, arguments, shapes) table->name = LN_TARGET::name;
#include "kernels.def"
}

}  // namespace kernels
}  // namespace layernet
