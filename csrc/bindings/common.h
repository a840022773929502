// What the binding files share: fast access to the C++ objects behind Python ones, conversion of values, errors.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>

#include "layernet/graph.h"
#include "layernet/op.h"
#include "layernet/tensor.h"

namespace layernet::python {

namespace py = pybind11;

// The Python types, set when they are bound.
struct Types {
  PyTypeObject* tensor = nullptr;
  PyTypeObject* symbol = nullptr;
  PyTypeObject* variable = nullptr;
};
extern Types types;

// Python's symbolic value; a class of its own so that nothing numeric can be asked of it.
struct Symbol {
  Value value;
};

// The C++ object of an instance of a bound type or of a Python subclass; nullptr before __init__.
template <class T>
T* held(PyObject* object) noexcept {
  return static_cast<T*>(reinterpret_cast<py::detail::instance*>(object)->simple_value_holder[0]);
}

inline bool is_tensor(PyObject* o) noexcept {
  return Py_TYPE(o) == types.tensor;
}
inline bool is_symbol(PyObject* o) noexcept {
  return PyObject_TypeCheck(o, types.symbol) != 0;
}
inline bool is_variable(PyObject* o) noexcept {
  return PyObject_TypeCheck(o, types.variable) != 0;
}
inline bool is_value(PyObject* o) noexcept {
  return is_tensor(o) || is_variable(o) || is_symbol(o);
}

// New references.
py::object wrap(Value value);
py::object dtype_object(DType t);
DType dtype_of(py::handle object);  // DType, name or anything numpy takes as a dtype
py::tuple shape_tuple(const Shape& shape);
Shape shape_from(py::handle object);  // sequence of ints and None (unknown)

// What an object that stands for a value, such as a partitioned variable, has to say: `o.__layernet_value__()`.
// Null for every other object; the common types are told apart without a look-up.
py::object value_stood_for(PyObject* o);
// Numbers, arrays, lists; `dtype` empty: python floats become float32, ints int32, arrays keep theirs.
Tensor tensor_from(py::handle object, const DType* dtype = nullptr);
// Tensor, Symbol, Variable (a read) or anything tensor_from takes.
Value value_from(py::handle object, const DType* dtype = nullptr);
// A read-only array on the tensor's memory (bfloat16: a float32 copy).
py::array array_of(const Tensor& t, py::handle owner);

// Sets the Python exception for the C++ one in flight.
void set_python_error() noexcept;
// Applies an op by name to Python values.
py::object call_op(const char* name, std::initializer_list<py::handle> args);

void bind_dtype(py::module_& m);
void bind_tensor(py::module_& m);
void bind_ops(py::module_& m);
void bind_operators();  // arithmetic and indexing of the value types
void bind_tape(py::module_& m);
void bind_graph(py::module_& m);
void bind_file(py::module_& m);
void bind_info(py::module_& m);

}  // namespace layernet::python
