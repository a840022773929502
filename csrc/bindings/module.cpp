// layernet._core: table of contents.
#include "bindings/common.h"

PYBIND11_MODULE(_core, m) {
  using namespace layernet::python;
  m.doc() = "C++ core of layernet: tensors, ops, tapes, graphs and plans.";
  bind_dtype(m);
  bind_tensor(m);
  bind_ops(m);
  bind_operators();
  bind_tape(m);
  bind_graph(m);
  bind_file(m);
  bind_info(m);
}
