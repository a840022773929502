// Predictor files, and the handle by which C and C++ call a plan.
#include "bindings/common.h"
#include "core/crc32c.h"
#include "core/error.h"
#include "core/file.h"
#include "layernet/predictor_file.h"
#include "plan/handle.h"

namespace layernet::python {

namespace {

using Path = py::bytes;  // os.fsencode has been applied
using Released = py::call_guard<py::gil_scoped_release>;

// Contiguous bytes of an object.
py::buffer_info bytes_of(const char* who, const py::object& data) {
  py::buffer_info info = py::buffer(data).request();
  if (info.ndim > 1 || (info.ndim == 1 && info.strides[0] != info.itemsize))
    throw py::value_error(join(who, ": expected contiguous bytes, got an array with strides."));
  return info;
}

// One loop for all the content, so that no half-written file can be held by Python.
void write_file(const Path& path, const py::object& chunks) {
  AtomicFile file{std::string(path)};
  for (const py::handle chunk : py::iter(chunks)) {
    const py::buffer_info info = bytes_of("write_file", py::reinterpret_borrow<py::object>(chunk));
    const py::gil_scoped_release release;
    file.write(info.ptr, static_cast<std::size_t>(info.size * info.itemsize));
  }
  const py::gil_scoped_release release;
  file.commit();
}

PredictorFile file_of(const Graph& graph, const py::dict& variables, std::vector<std::string> inputs,
                      std::vector<std::string> outputs, const std::string& structure, py::handle weights) {
  PredictorFile::Names names;
  for (const auto& [variable, name] : variables)
    names.variables.emplace_back(&variable.cast<Variable&>(), name.cast<std::string>());
  names.inputs = std::move(inputs);
  names.outputs = std::move(outputs);
  return PredictorFile::of(graph, names, structure, dtype_of(weights));
}

py::capsule handle_of(const std::shared_ptr<Plan>& plan, const std::vector<std::string>& output_names) {
  return py::capsule(new_handle(plan, output_names), "layernet.predictor", [](PyObject* c) {
    layernet_release(static_cast<layernet_predictor*>(PyCapsule_GetPointer(c, "layernet.predictor")));
  });
}

}  // namespace

void bind_file(py::module_& m) {
  m.def(
      "crc32c",
      [](const py::object& data) {
        const py::buffer_info info = bytes_of("crc32c", data);
        return crc32c(info.ptr, static_cast<std::size_t>(info.size * info.itemsize));
      },
      py::arg("data"), "The CRC-32C checksum of bytes.");
  m.def("write_file", &write_file, py::arg("path"), py::arg("chunks"),
        "Puts a file with the given content in place in one step.");
  py::class_<PredictorFile>(m, "PredictorFile", "A graph before the passes and the values of its variables, as a file.")
      .def_static("of", &file_of, py::arg("graph"), py::arg("variables"), py::arg("inputs"), py::arg("outputs"),
                  py::arg("structure"), py::arg("weights"), "The graph with the values that its variables have now.")
      .def_static(
          "open",
          [](const Path& path) {
            const std::string name = path;
            const py::gil_scoped_release release;
            return PredictorFile::open(name);
          },
          py::arg("path"), "Checks the header of a file.")
      .def_static(
          "parse",
          [](const py::bytes& data) {
            const std::string_view view = data;
            return PredictorFile::parse(view.data(), view.size());
          },
          py::arg("data"), "The content of a file.")
      .def("graph", &PredictorFile::graph, Released(), "The graph, its variables read anew.")
      .def(
          "save",
          [](const PredictorFile& file, const Path& path) {
            const std::string name = path;
            const py::gil_scoped_release release;
            file.save(name);
          },
          py::arg("path"), "Writes the file in one step.")
      .def(
          "bytes", [](const PredictorFile& file) { return py::bytes(file.bytes()); }, "The content of the file.")
      .def_property_readonly(
          "weights", [](const PredictorFile& file) { return std::string(name_of(file.weights())); },
          "The type in which float32 weights are kept.")
      .def_property_readonly("structure", &PredictorFile::structure, "JSON of the caller's own.")
      .def_property_readonly("input_names", &PredictorFile::input_names, "Names of the inputs.")
      .def_property_readonly("output_count", &PredictorFile::output_count, "How many outputs.")
      .def_property_readonly("output_names", &PredictorFile::output_names, "Names of the outputs, or none.");
  m.def("plan_handle", &handle_of, py::arg("plan"), py::arg("output_names"),
        "A capsule with the layernet_predictor of c_api.h.");
}

}  // namespace layernet::python
