// DType singletons, and the translation of C++ exceptions to the classes of layernet/errors.py.
#include <cerrno>
#include <string_view>

#include "bindings/common.h"
#include "core/error.h"

namespace layernet::python {

namespace {

struct DTypeObject {
  DType value;
};

// Kept for the life of the process: types are compared on every call.
PyObject* dtype_objects[kDTypeCount];

const char* numpy_name(DType t) {
  return t == DType::bfloat16 ? nullptr : name_of(t);
}

// numpy's type numbers are part of its stable ABI.
bool from_numpy_number(int number, std::size_t item, DType* out) {
  switch (number) {
    case 0:
      *out = DType::bool_;
      return true;
    case 1:
      *out = DType::int8;
      return true;
    case 2:
      *out = DType::uint8;
      return true;
    case 5:
    case 7:
    case 9:
      *out = item == 4 ? DType::int32 : DType::int64;
      return true;
    case 11:
      *out = DType::float32;
      return true;
    case 12:
      *out = DType::float64;
      return true;
    case 23:
      *out = DType::float16;
      return true;
    default:
      return false;
  }
}

bool try_dtype(py::handle object, DType* out) {
  if (py::isinstance<DTypeObject>(object)) {
    *out = object.cast<const DTypeObject&>().value;
    return true;
  }
  if (py::isinstance<py::str>(object) && dtype_from_name(object.cast<std::string>(), out)) return true;
  const py::object np = py::module_::import("numpy");
  try {
    const auto dt =
        py::reinterpret_steal<py::object>(py::dtype::from_args(py::reinterpret_borrow<py::object>(object)).release());
    const auto& d = static_cast<const py::dtype&>(dt);
    return from_numpy_number(d.num(), static_cast<std::size_t>(d.itemsize()), out);
  } catch (py::error_already_set&) {
    return false;
  }
}

}  // namespace

py::object dtype_object(DType t) {
  return py::reinterpret_borrow<py::object>(dtype_objects[static_cast<int>(t)]);
}

DType dtype_of(py::handle object) {
  DType t;
  if (try_dtype(object, &t)) return t;
  throw DTypeError("dtype: expected one of float32 float64 float16 bfloat16 int8 uint8 int32 int64 bool, got " +
                   py::repr(object).cast<std::string>() + ".");
}

void set_python_error() noexcept {
  try {
    try {
      throw;
    } catch (py::error_already_set& e) {
      e.restore();
    } catch (const IoError& e) {
      const auto path = py::reinterpret_steal<py::object>(PyUnicode_DecodeFSDefault(e.path().c_str()));
      errno = e.number();
      PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path.ptr());
    } catch (const Error& e) {
      const char* name = "Error";
      switch (e.code()) {
        case ErrorCode::invalid_argument:
          name = "InvalidArgumentError";
          break;
        case ErrorCode::shape:
          name = "ShapeError";
          break;
        case ErrorCode::dtype:
          name = "DTypeError";
          break;
        case ErrorCode::graph:
          name = "GraphError";
          break;
        case ErrorCode::format:
          name = "FormatError";
          break;
        case ErrorCode::not_found:
          name = "NotFoundError";
          break;
        case ErrorCode::failed_precondition:
          name = "FailedPreconditionError";
          break;
        case ErrorCode::io:
          break;
      }
      const py::object cls = py::module_::import("layernet.errors").attr(name);
      // A name out of a damaged file may be cut within a character.
      const std::string_view what = e.what();
      PyErr_SetObject(cls.ptr(), py::reinterpret_steal<py::object>(
                                     PyUnicode_DecodeUTF8(what.data(), static_cast<Py_ssize_t>(what.size()), "replace"))
                                     .ptr());
    } catch (const py::builtin_exception& e) {
      e.set_error();
    } catch (const std::bad_alloc&) {
      PyErr_SetString(PyExc_MemoryError, "layernet: out of memory.");
    } catch (const std::exception& e) {
      PyErr_SetString(PyExc_RuntimeError, e.what());
    }
  } catch (py::error_already_set& e) {
    e.restore();
  }
}

void bind_dtype(py::module_& m) {
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const Error&) {
      set_python_error();
    }
  });
  py::class_<DTypeObject>(m, "DType", "Element type of a tensor. Equal to its name and to numpy's dtype.")
      .def_property_readonly("name", [](const DTypeObject& d) { return name_of(d.value); })
      .def_property_readonly("itemsize", [](const DTypeObject& d) { return item_size(d.value); })
      .def_property_readonly("is_floating", [](const DTypeObject& d) { return is_floating(d.value); })
      .def_property_readonly("is_integer", [](const DTypeObject& d) { return is_integer(d.value); })
      .def_property_readonly("dtype",
                             [](const DTypeObject& d) -> py::object {
                               if (numpy_name(d.value) == nullptr)
                                 throw DTypeError("numpy has no type for bfloat16. Cast to float32.");
                               return py::dtype(numpy_name(d.value));
                             })
      .def("__eq__",
           [](const DTypeObject& d, py::handle other) {
             DType t;
             return !other.is_none() && try_dtype(other, &t) && t == d.value;
           })
      .def("__hash__", [](const DTypeObject& d) { return py::hash(py::str(name_of(d.value))); })
      .def("__repr__", [](const DTypeObject& d) { return std::string("layernet.") + name_of(d.value); })
      .def("__str__", [](const DTypeObject& d) { return name_of(d.value); })
      .def("__reduce__", [](const DTypeObject& d) -> py::tuple {
        return py::make_tuple(py::module_::import("layernet._core").attr("as_dtype"), py::make_tuple(name_of(d.value)));
      });
  for (int i = 0; i < kDTypeCount; ++i) {
    const DType t = static_cast<DType>(i);
    dtype_objects[i] = py::cast(DTypeObject{t}).release().ptr();
    m.attr(t == DType::bool_ ? "bool_" : name_of(t)) = dtype_object(t);
  }
  m.def(
      "as_dtype", [](py::handle object) { return dtype_object(dtype_of(object)); }, py::arg("object"),
      "The DType that a name, a numpy dtype or a DType stands for.");
}

}  // namespace layernet::python
