// Tensor, Symbol and Variable as Python objects, and values from Python objects.
#include "bindings/common.h"
#include "core/error.h"

namespace layernet::python {

Types types;

namespace {

// The first number in nested lists: what is not a list, or an empty one.
py::object first_leaf(py::handle object) {
  py::object first = py::reinterpret_borrow<py::object>(object);
  while ((PyList_Check(first.ptr()) || PyTuple_Check(first.ptr())) && py::len(first) != 0) first = first[py::int_(0)];
  return first;
}
bool starts_with_integer(py::handle object) {
  const py::object first = first_leaf(object);
  return PyLong_Check(first.ptr()) != 0;
}

// An array that holds a reference to a Python object and gives it up from any thread.
void release_python(void* owner) {
  const py::gil_scoped_acquire gil;
  Py_DECREF(static_cast<PyObject*>(owner));
}

// The type of a numpy array among ours; false: it has to be converted or refused.
bool array_dtype(const py::array& a, DType* out) {
  const py::dtype d = a.dtype();
  if (d.byteorder() == '>' || (d.byteorder() == '<' && PY_BIG_ENDIAN)) return false;
  switch (d.num()) {
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
      *out = d.itemsize() == 4 ? DType::int32 : DType::int64;
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

[[noreturn]] void refuse(const py::array& a) {
  throw DTypeError("tensor: expected numbers of a supported type, got an array of dtype " +
                   py::str(py::handle(a.dtype())).cast<std::string>() +
                   ". Convert it, e.g. np.asarray(x, \"float32\").");
}

// May an array of kind `from` silently become `to`? Widening of kinds only: bool -> integer -> float.
bool convertible(DType from, DType to) {
  const auto kind = [](DType t) { return t == DType::bool_ ? 0 : is_integer(t) ? 1 : 2; };
  return kind(from) <= kind(to);
}

// Whether an integer of 64 bits is one of type `t`; floating types and bool take all of them.
bool fits(std::int64_t v, DType t) {
  switch (t) {
    case DType::int8:
      return v >= INT8_MIN && v <= INT8_MAX;
    case DType::uint8:
      return v >= 0 && v <= UINT8_MAX;
    case DType::int32:
      return v >= INT32_MIN && v <= INT32_MAX;
    default:
      return true;
  }
}

[[noreturn]] void refuse_integer(std::int64_t v, DType t) {
  const char* const wider = t == DType::int32 ? "int64" : "int32 or int64";
  throw InvalidArgumentError(join("tensor: expected integers that fit ", t, ", got ", v, ". Give dtype=\"", wider,
                                  "\", or wrap them around with cast."));
}

template <class T>
void expect_fit(const Tensor& t, DType to) {
  const auto* v = static_cast<const T*>(t.data());
  for (std::int64_t i = 0; i < t.size(); ++i)
    if (!fits(v[i], to)) refuse_integer(v[i], to);
}

// Numbers of another type, unless that would change integers.
Tensor converted(const Tensor& t, DType to) {
  if (t.dtype() == to) return t;
  if (!convertible(t.dtype(), to))
    throw DTypeError(join("tensor: expected values of ", to, ", got ", t.dtype(), ". Convert with cast."));
  if (t.dtype() == DType::int64) expect_fit<std::int64_t>(t, to);
  if (t.dtype() == DType::int32) expect_fit<std::int32_t>(t, to);
  if (t.dtype() == DType::int8) expect_fit<std::int8_t>(t, to);
  if (t.dtype() == DType::uint8) expect_fit<std::uint8_t>(t, to);
  return t.converted(to);
}

Tensor tensor_from_array(const py::array& given, const DType* dtype) {
  py::array a = given;
  DType own;
  if (!array_dtype(a, &own)) {
    const char kind = a.dtype().kind();
    if (kind == 'V' && py::str(py::handle(a.dtype())).cast<std::string>() == "bfloat16") {
      const py::array wide = py::array::ensure(a.attr("astype")("float32"));
      const DType half = DType::bfloat16;
      return tensor_from_array(wide, dtype != nullptr ? dtype : &half);
    }
    const bool swapped = kind == 'f' || kind == 'i' || kind == 'u' || kind == 'b';
    if (!swapped) refuse(a);
    a = py::array::ensure(a.attr("astype")(a.dtype().attr("newbyteorder")("=")));
    if (!a || !array_dtype(a, &own)) refuse(given);
  }
  if (!(a.flags() & py::array::c_style)) a = py::array::ensure(a, py::array::c_style);
  Shape shape;
  for (py::ssize_t i = 0; i < a.ndim(); ++i) shape.push_back(Dim(a.shape(i)));
  Tensor t = Tensor::copy_of(Spec(own, std::move(shape)), a.data());
  return dtype != nullptr ? converted(t, *dtype) : t;
}

std::string repr_of(const char* kind, const std::string& name, const Tensor& t) {
  const py::object np = py::module_::import("numpy");
  const py::array a = array_of(t, py::none());
  std::string s = std::string(kind) + "(" + name +
                  py::str(np.attr("array2string")(a, py::arg("separator") = ", ", py::arg("threshold") = 1000,
                                                  py::arg("prefix") = "Tensor("))
                      .cast<std::string>();
  return s + ", shape=" + py::str(shape_tuple(t.shape())).cast<std::string>() + ", dtype=" + name_of(t.dtype()) + ")";
}

[[noreturn]] void no_python_value(const Symbol& s, const char* what) {
  throw GraphError(join(
      "symbolic value of shape ", s.value.shape(), ": expected an op of layernet, got ", what,
      ". Its numbers are not known while a network is traced, so Python's if, while, float() and numpy cannot use ",
      "it. Use ln.where, or call the network on arrays."));
}

Tensor value_of_variable(Variable& v) {
  return current_emitter().read(v.shared_from_this(), false).tensor();
}

// Tensor and Symbol hold a C++ object from the start: an instance without one would be a null pointer to every op.
PyObject* refuse_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyErr_Format(PyExc_TypeError,
               "%s: expected no construction. Tensors are made by ln.constant and by ops, symbols by ln.Input.",
               type->tp_name);
  return nullptr;
}
void forbid_construction(PyTypeObject* type) {
  static PyMethodDef method = {"__new__",
                               [](PyObject*, PyObject* args) -> PyObject* {
                                 PyObject* cls = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : nullptr;
                                 const bool is_type = cls != nullptr && PyType_Check(cls) != 0;
                                 return refuse_new(is_type ? reinterpret_cast<PyTypeObject*>(cls) : types.tensor,
                                                   nullptr, nullptr);
                               },
                               METH_VARARGS, nullptr};
  const auto function = py::reinterpret_steal<py::object>(PyCFunction_New(&method, nullptr));
  py::handle(reinterpret_cast<PyObject*>(type)).attr("__new__") =
      py::reinterpret_steal<py::object>(PyStaticMethod_New(function.ptr()));
  type->tp_new = refuse_new;  // also for the base class's own __new__
}

py::object array_protocol(const Tensor& t, py::handle self, py::object dtype, py::object copy) {
  py::array a = array_of(t, self);
  if (!dtype.is_none()) {
    const py::object wanted = py::reinterpret_borrow<py::object>(py::dtype::from_args(dtype));
    if (!wanted.equal(py::object(a.dtype()))) {
      if (!copy.is_none() && !copy.cast<bool>())
        throw py::value_error("tensor: expected copy=None or True, since the dtype has to be converted.");
      return a.attr("astype")(wanted);
    }
  }
  if (!copy.is_none() && copy.cast<bool>()) return a.attr("copy")();
  return a;
}

// DLPack (dlpack.h of dmlc): the structures of version 0.8, and those of 1.0, which can say that memory is read-only.
struct DLDevice {
  std::int32_t type, id;
};
struct DLTensor {
  void* data;
  DLDevice device;
  std::int32_t ndim;
  std::uint8_t code, bits;
  std::uint16_t lanes;
  std::int64_t* shape;
  std::int64_t* strides;
  std::uint64_t byte_offset;
};
struct DLManagedTensor {
  DLTensor tensor;
  void* context;
  void (*deleter)(DLManagedTensor*);
};
struct DLManagedTensorVersioned {
  std::uint32_t major, minor;
  void* context;
  void (*deleter)(DLManagedTensorVersioned*);
  std::uint64_t flags;
  DLTensor tensor;
};
constexpr std::uint64_t kDLReadOnly = 1, kDLCopied = 2;

template <class Managed>
struct DLOwner {
  Managed managed;
  Tensor tensor;
  Ints shape, strides;
};

template <class Managed>
py::capsule dlpack_capsule(const Tensor& t, const char* name, PyCapsule_Destructor drop, const Managed& header) {
  auto* owner = new DLOwner<Managed>();
  owner->managed = header;
  owner->tensor = t;
  std::int64_t stride = 1;
  owner->strides.resize(t.rank());
  for (const Dim d : t.shape()) owner->shape.push_back(d.value());
  for (std::size_t i = t.rank(); i-- > 0;) {
    owner->strides[i] = stride;
    stride *= owner->shape[i];
  }
  const DType d = t.dtype();
  const std::uint8_t code = d == DType::bfloat16 ? 4
                            : d == DType::bool_  ? 6
                            : is_floating(d)     ? 2
                            : d == DType::uint8  ? 1
                                                 : 0;
  owner->managed.tensor = DLTensor{t.mutable_data(),
                                   {1, 0},
                                   static_cast<std::int32_t>(t.rank()),
                                   code,
                                   static_cast<std::uint8_t>(item_size(d) * 8),
                                   1,
                                   owner->shape.data(),
                                   owner->strides.data(),
                                   0};
  owner->managed.context = owner;
  owner->managed.deleter = [](Managed* m) { delete static_cast<DLOwner<Managed>*>(m->context); };
  return py::capsule(&owner->managed, name, drop);
}

// What a capsule that nobody consumed does; a consumer renames it and calls the deleter itself.
void drop_dlpack(PyObject* c) {
  if (PyCapsule_IsValid(c, "dltensor") == 0) return;
  auto* m = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(c, "dltensor"));
  m->deleter(m);
}
void drop_dlpack_versioned(PyObject* c) {
  if (PyCapsule_IsValid(c, "dltensor_versioned") == 0) return;
  auto* m = static_cast<DLManagedTensorVersioned*>(PyCapsule_GetPointer(c, "dltensor_versioned"));
  m->deleter(m);
}

py::capsule dlpack_of(const Tensor& given, const py::object& max_version, const py::object& dl_device,
                      const py::object& copy) {
  if (!dl_device.is_none() && !dl_device.equal(py::make_tuple(1, 0)))
    throw py::buffer_error(join("__dlpack__: expected dl_device to be None or (1, 0), the CPU, got ",
                                py::repr(dl_device).cast<std::string>(), "."));
  const bool copied = !copy.is_none() && copy.cast<bool>();
  const Tensor t = copied ? Tensor::copy_of(given.spec(), given.data()) : given;
  if (max_version.is_none() || max_version[py::int_(0)].cast<int>() < 1)
    return dlpack_capsule(t, "dltensor", drop_dlpack, DLManagedTensor{});
  DLManagedTensorVersioned header{};
  header.major = 1;
  header.flags = copied ? kDLCopied : kDLReadOnly;
  return dlpack_capsule(t, "dltensor_versioned", drop_dlpack_versioned, header);
}

Tensor alias_array(const py::array& a) {
  DType t;
  if (!array_dtype(a, &t)) refuse(a);
  if (!(a.flags() & py::array::c_style))
    throw InvalidArgumentError("from_numpy: expected a C-contiguous array for copy=False.");
  Shape shape;
  for (py::ssize_t i = 0; i < a.ndim(); ++i) shape.push_back(Dim(a.shape(i)));
  void* data = const_cast<void*>(a.data());
  PyObject* owner = a.ptr();
  Py_INCREF(owner);
  return Tensor::share(Spec(t, std::move(shape)),
                       Storage::wrap(data, static_cast<std::size_t>(a.nbytes()), release_python, owner), data);
}

}  // namespace

py::tuple shape_tuple(const Shape& shape) {
  py::tuple out(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    PyObject* d = shape[i].is_fixed() ? PyLong_FromLongLong(shape[i].value()) : Py_NewRef(Py_None);
    PyTuple_SET_ITEM(out.ptr(), static_cast<py::ssize_t>(i), d);
  }
  return out;
}

py::object wrap(Value value) {
  if (!value) return py::none();
  if (value.is_tensor()) return py::cast(value.tensor());
  return py::cast(Symbol{std::move(value)});
}

py::array array_of(const Tensor& t, py::handle owner) {
  if (t.dtype() == DType::bfloat16) return array_of(t.converted(DType::float32), py::handle());
  std::vector<py::ssize_t> shape;
  for (const Dim d : t.shape()) shape.push_back(d.value());
  py::object base = owner ? py::reinterpret_borrow<py::object>(owner) : py::none();
  if (base.is_none()) base = py::cast(t);
  py::array a(py::dtype(name_of(t.dtype())), std::move(shape), t.data(), base);
  py::detail::array_proxy(a.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return a;
}

Tensor tensor_from(py::handle object, const DType* dtype) {
  PyObject* o = object.ptr();
  if (is_tensor(o)) return dtype != nullptr ? converted(*held<Tensor>(o), *dtype) : *held<Tensor>(o);
  if (is_symbol(o)) no_python_value(*held<Symbol>(o), "a place that needs numbers");
  if (is_variable(o)) {
    const Tensor t = value_of_variable(*held<Variable>(o));
    return dtype != nullptr ? converted(t, *dtype) : t;
  }
  if (PyFloat_CheckExact(o)) {
    const DType t = dtype != nullptr ? *dtype : DType::float32;
    if (!convertible(DType::float32, t))
      throw DTypeError(join("tensor: expected values of ", t, ", got a float. Convert it first."));
    return Tensor::scalar(PyFloat_AS_DOUBLE(o), t);
  }
  if (PyBool_Check(o))
    return converted(Tensor::scalar(o == Py_True, DType::bool_), dtype != nullptr ? *dtype : DType::bool_);
  if (PyLong_CheckExact(o)) {
    int overflow = 0;
    const long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow != 0) throw InvalidArgumentError("tensor: expected an integer of 64 bits, got a larger one.");
    const DType t = dtype != nullptr ? *dtype : DType::int32;
    if (t == DType::int64) {
      Tensor out = Tensor::empty(Spec(t, Shape()));
      *static_cast<std::int64_t*>(out.mutable_data()) = v;
      return out;
    }
    if (!fits(v, t)) refuse_integer(v, t);
    return Tensor::scalar(static_cast<double>(v), t);
  }
  if (py::isinstance<py::array>(object)) return tensor_from_array(py::reinterpret_borrow<py::array>(object), dtype);
  // Lists, tuples, numpy scalars, buffers, anything with __array__.
  const bool python_numbers = PyList_Check(o) || PyTuple_Check(o);
  const py::array a = py::array::ensure(object);
  if (!a) {
    PyErr_Clear();
    if (python_numbers)
      throw InvalidArgumentError(
          "tensor: expected nested lists of numbers with equal lengths, got lists of different lengths or things that "
          "are not numbers. Pad them to one length.");
    throw DTypeError("tensor: expected numbers, got " + py::repr(py::type::handle_of(object)).cast<std::string>() +
                     ".");
  }
  const char kind = a.dtype().kind();
  if (python_numbers && (kind == 'O' || kind == 'u') && starts_with_integer(object))
    throw InvalidArgumentError("tensor: expected integers of 64 bits, got a larger one.");
  if (dtype == nullptr && python_numbers) {
    // Python's own numbers are float32 and int32 here, as in TensorFlow 1.x; arrays inside a list keep their type.
    const py::object first = first_leaf(object);
    const DType f32 = DType::float32, i32 = DType::int32;
    if (PyFloat_CheckExact(first.ptr()) || PyLong_CheckExact(first.ptr()) || PyBool_Check(first.ptr()) ||
        PyList_Check(first.ptr()) || PyTuple_Check(first.ptr())) {
      if (kind == 'f') return tensor_from_array(a, &f32);
      if (kind == 'i') return tensor_from_array(a, &i32);
    }
  }
  return tensor_from_array(a, dtype);
}

Tensor indices_from(py::handle object) {
  PyObject* o = object.ptr();
  if (!PyLong_CheckExact(o) && !PyList_Check(o) && !PyTuple_Check(o)) return tensor_from(object);
  const py::array a = py::array::ensure(object);
  if (!a) PyErr_Clear();
  const bool none = a && a.size() == 0;
  if (!a || (a.dtype().kind() != 'i' && !none)) return tensor_from(object);
  const Tensor t =
      none ? Tensor::empty(Spec(DType::int64, tensor_from_array(a, nullptr).shape())) : tensor_from_array(a, nullptr);
  if (t.dtype() != DType::int64) return t;
  const auto* v = static_cast<const std::int64_t*>(t.data());
  for (std::int64_t i = 0; i < t.size(); ++i)
    if (!fits(v[i], DType::int32)) return t;
  return t.converted(DType::int32);
}

py::object value_stood_for(PyObject* o) {
  if (PyFloat_CheckExact(o) || PyLong_CheckExact(o) || PyBool_Check(o) || PyList_CheckExact(o) ||
      PyTuple_CheckExact(o) || py::isinstance<py::array>(o))
    return {};
  static PyObject* const name = PyUnicode_InternFromString("__layernet_value__");
  if (PyObject_HasAttr(reinterpret_cast<PyObject*>(Py_TYPE(o)), name) == 0) return {};
  py::object value = py::reinterpret_steal<py::object>(PyObject_CallMethodNoArgs(o, name));
  if (!value) throw py::error_already_set();
  if (!is_value(value.ptr())) throw py::type_error("__layernet_value__: expected a tensor, variable or symbol.");
  return value;
}

Value value_from(py::handle object, const DType* dtype) {
  PyObject* o = object.ptr();
  if (is_symbol(o)) return held<Symbol>(o)->value;
  if (is_variable(o)) return current_emitter().read(held<Variable>(o)->shared_from_this(), false);
  if (!is_tensor(o))
    if (const py::object value = value_stood_for(o)) return value_from(value, dtype);
  return Value(tensor_from(object, dtype));
}

void bind_tensor(py::module_& m) {
  py::class_<Tensor> tensor(m, "Tensor",
                            "An immutable array of numbers. Made by ops, by ln.constant and by reading variables.");
  types.tensor = reinterpret_cast<PyTypeObject*>(tensor.ptr());
  forbid_construction(types.tensor);
  types.tensor->tp_flags &= ~static_cast<unsigned long>(Py_TPFLAGS_BASETYPE);
  tensor.attr("__array_priority__") = 1000;  // array * tensor is ours; numpy.add(tensor, 1) is numpy's
  tensor
      .def_property_readonly(
          "shape", [](const Tensor& t) { return shape_tuple(t.shape()); }, "Sizes, a tuple of int.")
      .def_property_readonly(
          "dtype", [](const Tensor& t) { return dtype_object(t.dtype()); }, "Element type.")
      .def_property_readonly(
          "ndim", [](const Tensor& t) { return t.rank(); }, "Number of axes.")
      .def_property_readonly(
          "size", [](const Tensor& t) { return t.size(); }, "Number of elements.")
      .def(
          "numpy", [](py::handle self) { return array_of(*held<Tensor>(self.ptr()), self); },
          "A read-only numpy array on the same memory (bfloat16: a float32 copy).")
      .def(
          "__array__",
          [](py::handle self, py::object dtype, py::object copy) {
            return array_protocol(*held<Tensor>(self.ptr()), self, std::move(dtype), std::move(copy));
          },
          py::arg("dtype") = py::none(), py::arg("copy") = py::none())
      .def(
          "__dlpack__",
          [](const Tensor& t, const py::object&, const py::object& max_version, const py::object& dl_device,
             const py::object& copy) { return dlpack_of(t, max_version, dl_device, copy); },
          py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
          py::arg("dl_device") = py::none(), py::arg("copy") = py::none())
      .def("__dlpack_device__", [](const Tensor&) { return py::make_tuple(1, 0); })
      .def("__repr__", [](const Tensor& t) { return repr_of("Tensor", "", t); })
      .def("__deepcopy__", [](py::object self, py::handle) { return self; })
      .def("__reduce__", [](py::handle self) -> py::tuple {
        const Tensor& t = *held<Tensor>(self.ptr());
        return py::make_tuple(py::module_::import("layernet._core").attr("constant"),
                              py::make_tuple(array_of(t, self), name_of(t.dtype())));
      });

  py::class_<Symbol> symbol(
      m, "Symbol", py::dynamic_attr(),
      "A value of a graph: shape and type are known, numbers are not. Made by ln.Input and by ops on symbols.");
  types.symbol = reinterpret_cast<PyTypeObject*>(symbol.ptr());
  forbid_construction(types.symbol);
  symbol.attr("__array_priority__") = 1000;
  symbol
      .def_property_readonly(
          "shape", [](const Symbol& s) { return shape_tuple(s.value.shape()); },
          "Sizes; None for the batch and for unknown ones.")
      .def_property_readonly(
          "dtype", [](const Symbol& s) { return dtype_object(s.value.dtype()); }, "Element type.")
      .def_property_readonly(
          "ndim", [](const Symbol& s) { return s.value.rank(); }, "Number of axes.")
      .def_property_readonly(
          "op",
          [](const Symbol& s) -> std::string {
            const Node& node = *s.value.symbol().node;
            return node.kind == Node::Kind::input      ? "input"
                   : node.kind == Node::Kind::variable ? "variable"
                                                       : node.op->name;
          },
          "Name of the op that produces it; 'input' or 'variable'.")
      .def_property_readonly(
          "symbolic_shape", [](const Symbol& s) { return to_string(s.value.shape()); },
          "The shape as text, e.g. '[2N, 3]'.")
      .def(
          "_known_dims",
          [](const Symbol& s) -> py::object {
            Shape dims;
            if (!known_dims(s.value, &dims)) return py::none();
            py::list out;
            for (const Dim d : dims) out.append(d.code());
            return out;
          },
          "Codes of the dimensions that an int64 symbol stands for, or None.")
      .def("numpy", [](const Symbol& s) -> py::object { no_python_value(s, "numpy()"); })
      .def("__array__", [](const Symbol& s, py::args, py::kwargs) -> py::object { no_python_value(s, "numpy"); })
      .def("__bool__", [](const Symbol& s) -> bool { no_python_value(s, "a truth value (if, while, and, or)"); })
      .def("__float__", [](const Symbol& s) -> double { no_python_value(s, "float()"); })
      .def("__int__", [](const Symbol& s) -> int { no_python_value(s, "int()"); })
      .def("__index__", [](const Symbol& s) -> int { no_python_value(s, "an index"); })
      .def("__iter__", [](const Symbol& s) -> py::object { no_python_value(s, "iteration"); })
      .def("__len__",
           [](const Symbol& s) -> std::size_t {
             if (s.value.rank() == 0 || !s.value.shape()[0].is_fixed()) no_python_value(s, "len()");
             return static_cast<std::size_t>(s.value.shape()[0].value());
           })
      .def("__repr__", [](const Symbol& s) {
        return "Symbol(shape=" + to_string(s.value.shape()) + ", dtype=" + name_of(s.value.dtype()) + ")";
      });

  py::class_<Variable, std::shared_ptr<Variable>> variable(
      m, "Variable", py::dynamic_attr(), "Storage that optimizers and assign() change. Read by every op on it.");
  types.variable = reinterpret_cast<PyTypeObject*>(variable.ptr());
  variable.attr("__array_priority__") = 1000;
  variable
      .def(py::init([](py::handle initial, py::object dtype, bool trainable) {
             DType t{};
             if (!dtype.is_none()) t = dtype_of(dtype);
             return std::make_shared<Variable>(tensor_from(initial, dtype.is_none() ? nullptr : &t), trainable);
           }),
           py::arg("initial_value"), py::arg("dtype") = py::none(), py::arg("trainable") = true)
      .def_property_readonly(
          "shape", [](const Variable& v) { return shape_tuple(v.spec().shape); }, "Sizes, a tuple of int.")
      .def_property_readonly(
          "dtype", [](const Variable& v) { return dtype_object(v.spec().dtype); }, "Element type.")
      .def_property_readonly(
          "ndim", [](const Variable& v) { return v.spec().shape.size(); }, "Number of axes.")
      .def_property_readonly(
          "size", [](const Variable& v) { return fixed_count(v.spec().shape); }, "Number of elements.")
      .def_property_readonly(
          "trainable", [](const Variable& v) { return v.trainable(); }, "Watched by tapes on reading.")
      .def_property_readonly(
          "version", [](const Variable& v) { return v.version(); }, "Number of updates so far.")
      .def(
          "value", [](py::handle self) { return wrap(value_from(self)); },
          "The present value; a tape watches the read.")
      .def(
          "numpy", [](const Variable& v) { return array_of(v.value(), py::handle()); },
          "A read-only array of the present value.")
      .def(
          "__array__",
          [](const Variable& v, py::object dtype, py::object copy) {
            return array_protocol(v.value(), py::handle(), std::move(dtype), std::move(copy));
          },
          py::arg("dtype") = py::none(), py::arg("copy") = py::none())
      .def(
          "__dlpack__",
          [](const Variable& v, const py::object&, const py::object& max_version, const py::object& dl_device,
             const py::object& copy) { return dlpack_of(v.value(), max_version, dl_device, copy); },
          py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
          py::arg("dl_device") = py::none(), py::arg("copy") = py::none())
      .def("__dlpack_device__", [](const Variable&) { return py::make_tuple(1, 0); })
      .def_property_readonly(
          "unique_storage",
          [](const Variable& v) {
            const Tensor t = v.value();
            return t.storage()->refs.load() == 1 && t.body()->refs.load() == 2;
          },
          "Whether nothing else holds the storage: the next update is in place.");

  m.def(
      "constant",
      [](py::handle value, py::object dtype, py::object shape) {
        DType t{};
        if (!dtype.is_none()) t = dtype_of(dtype);
        Tensor out = tensor_from(value, dtype.is_none() ? nullptr : &t);
        if (shape.is_none()) return out;
        const Shape wanted = shape_from(shape);
        if (!all_fixed(wanted))
          throw ShapeError(join("constant: expected known sizes of at least 0, got shape ",
                                py::repr(shape).cast<std::string>(), "."));
        if (element_count(wanted, "constant") == Dim(out.size())) return out.view(wanted);
        if (out.size() != 1)
          throw ShapeError(
              join("constant: expected ", element_count(wanted, "constant"), " values, got ", out.size(), "."));
        Tensor full = Tensor::empty(Spec(out.dtype(), wanted));
        const std::size_t item = item_size(out.dtype());
        for (std::int64_t i = 0; i < full.size(); ++i)
          std::memcpy(static_cast<unsigned char*>(full.mutable_data()) + static_cast<std::size_t>(i) * item, out.data(),
                      item);
        return full;
      },
      py::arg("value"), py::arg("dtype") = py::none(), py::arg("shape") = py::none());
  m.def(
      "from_numpy", [](const py::array& a, bool copy) { return copy ? tensor_from(a) : alias_array(a); },
      py::arg("array"), py::arg("copy") = true);
  m.def("allocation_count", &allocation_count);
}

Shape shape_from(py::handle object) {
  Shape out;
  if (PyLong_Check(object.ptr())) return shape_from(py::make_tuple(object));
  if (!py::isinstance<py::iterable>(object))
    throw DTypeError("shape: expected an integer or a sequence of them, got " + py::repr(object).cast<std::string>() +
                     ".");
  for (const py::handle item : object) {
    PyObject* o = item.ptr();
    if (item.is_none()) {
      out.push_back(Dim::unknown());
    } else if (is_value(o)) {
      Shape dims;
      const Value v = value_from(item);
      if (!known_dims(v, &dims) || dims.size() != 1)
        throw GraphError("shape: expected sizes that follow from shapes, got a size that depends on data.");
      out.push_back(dims[0]);
    } else {
      const auto n = static_cast<std::int64_t>(PyNumber_AsSsize_t(o, PyExc_OverflowError));
      if (n == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
      if (n < -1) throw InvalidArgumentError(join("shape: expected sizes of at least 0 (or -1), got ", n, "."));
      out.push_back(n == -1 ? Dim::unknown() : Dim(n));
    }
  }
  return out;
}

}  // namespace layernet::python
