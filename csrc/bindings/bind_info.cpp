// What was built and what runs.
#include "bindings/common.h"
#include "layernet/info.h"

namespace layernet::python {

void bind_info(py::module_& m) {
  m.def(
      "build_info",
      [] {
        const BuildInfo info = build_info();
        py::dict d;
        d["version"] = info.version;
        d["compiler"] = info.compiler;
        d["isas_built"] = info.isas_built;
        d["isas_supported"] = info.isas_supported;
        d["isa"] = info.isa;
        d["isa_error"] = info.isa_error;
        d["blas"] = info.blas;
        d["threads"] = info.threads;
        return d;
      },
      "Version, compiler, instruction sets built and active, BLAS state, threads.");
  m.def("set_num_threads", &set_num_threads, py::arg("threads"));
  m.def("get_num_threads", &get_num_threads);
}

}  // namespace layernet::python
