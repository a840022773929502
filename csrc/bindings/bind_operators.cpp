// Arithmetic, comparison and indexing of Tensor, Symbol and Variable: type slots that go straight to the ops.
#include <initializer_list>

#include "bindings/common.h"
#include "core/error.h"

namespace layernet::python {

PyObject* op_function(const char* name);
PyObject* call_op_function(PyObject* f, PyObject* const* args, std::size_t n);

namespace {

bool is_operand(PyObject* o) {
  return is_value(o) || PyFloat_Check(o) || PyLong_Check(o) || PyList_Check(o) || PyTuple_Check(o) ||
         py::isinstance<py::array>(o) || PyObject_HasAttrString(o, "__array__");
}

template <const char* Name>
PyObject* apply(std::initializer_list<PyObject*> args) {
  static PyObject* f = op_function(Name);
  return call_op_function(f, args.begin(), args.size());
}

template <const char* Name>
PyObject* binary(PyObject* a, PyObject* b) {
  if (!is_operand(a) || !is_operand(b)) return Py_NewRef(Py_NotImplemented);
  return apply<Name>({a, b});
}
template <const char* Name>
PyObject* unary(PyObject* a) {
  return apply<Name>({a});
}

#define LN_NAME(n) constexpr char k_##n[] = #n
LN_NAME(add);
LN_NAME(subtract);
LN_NAME(multiply);
LN_NAME(divide);
LN_NAME(floordiv);
LN_NAME(mod);
LN_NAME(power);
LN_NAME(matmul);
LN_NAME(ones_like);
LN_NAME(negative);
LN_NAME(abs);
LN_NAME(identity);
LN_NAME(less);
LN_NAME(less_equal);
LN_NAME(greater);
LN_NAME(greater_equal);
LN_NAME(logical_and);
LN_NAME(logical_or);
LN_NAME(logical_xor);
LN_NAME(logical_not);
#undef LN_NAME

const Spec& spec_of_variable(PyObject* o) {
  const auto* v = held<Variable>(o);
  if (v == nullptr)
    throw py::type_error("Variable: expected an initialised variable; super().__init__() was not called.");
  return v->spec();
}

DType dtype_of_value(PyObject* o) {
  if (is_tensor(o)) return held<Tensor>(o)->dtype();
  if (is_symbol(o)) return held<Symbol>(o)->value.dtype();
  return spec_of_variable(o).dtype;
}

// Integers are divided as float64, as in TensorFlow.
PyObject* true_divide(PyObject* a, PyObject* b) {
  if (!is_operand(a) || !is_operand(b)) return Py_NewRef(Py_NotImplemented);
  try {
    PyObject* known = is_value(a) ? a : b;
    if (is_floating(dtype_of_value(known))) return apply<k_divide>({a, b});
    const py::object cast = py::module_::import("layernet._core").attr("ops").attr("cast");
    const auto wide = [&](PyObject* o) {
      return is_value(o) ? cast(py::handle(o), py::arg("dtype") = "float64") : py::reinterpret_borrow<py::object>(o);
    };
    const py::object x = wide(a), y = wide(b);
    return apply<k_divide>({x.ptr(), y.ptr()});
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

bool has_integers(PyObject* x) {
  return (!is_variable(x) || held<Variable>(x) != nullptr) && is_integer(dtype_of_value(x));
}

// x ** n of integers: squares and products, so exact and wrapping around like those.
PyObject* integer_power(PyObject* x, long n) {
  try {
    if (n == 0) return apply<k_ones_like>({x});
    py::object square = py::reinterpret_borrow<py::object>(x), product;
    for (;; n /= 2) {
      if (n % 2 == 1) {
        PyObject* next = product ? apply<k_multiply>({product.ptr(), square.ptr()}) : apply<k_identity>({square.ptr()});
        if (next == nullptr) return nullptr;
        product = py::reinterpret_steal<py::object>(next);
      }
      if (n <= 1) return product.release().ptr();
      PyObject* next = apply<k_multiply>({square.ptr(), square.ptr()});
      if (next == nullptr) return nullptr;
      square = py::reinterpret_steal<py::object>(next);
    }
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* power(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) return Py_NewRef(Py_NotImplemented);
  if (PyLong_CheckExact(b) && is_value(a) && has_integers(a)) {
    int overflow = 0;
    const long n = PyLong_AsLongAndOverflow(b, &overflow);
    if (overflow == 0 && n >= 0) return integer_power(a, n);
    PyErr_SetString(PyExc_ValueError,
                    "power: expected an exponent of at least 0 for integers. Cast the tensor to float32 first.");
    return nullptr;
  }
  return binary<k_power>(a, b);
}

// == and != are identity, as in TensorFlow 1.x: tensors can be kept in sets and dictionaries. ln.equal compares
// elements.
PyObject* compare(PyObject* a, PyObject* b, int operation) {
  if (operation == Py_EQ) return PyBool_FromLong(a == b);
  if (operation == Py_NE) return PyBool_FromLong(a != b);
  if (!is_operand(b)) return Py_NewRef(Py_NotImplemented);
  switch (operation) {
    case Py_LT:
      return apply<k_less>({a, b});
    case Py_LE:
      return apply<k_less_equal>({a, b});
    case Py_GT:
      return apply<k_greater>({a, b});
    default:
      return apply<k_greater_equal>({a, b});
  }
}

Tensor numbers(PyObject* o, const char* what) {
  const Tensor t = tensor_from(py::handle(o));
  if (t.size() != 1)
    throw InvalidArgumentError(join(what, ": expected a tensor of one element, got shape ", t.shape(), "."));
  return t;
}

int truth(PyObject* o) {
  try {
    if (is_symbol(o)) {
      const py::object ignored = py::handle(o).attr("__bool__")();
      return 0;
    }
    const Tensor t = numbers(o, "bool()");
    const py::object item = array_of(t, py::none()).attr("item")();
    return PyObject_IsTrue(item.ptr());
  } catch (...) {
    set_python_error();
    return -1;
  }
}

template <PyObject* (*Convert)(PyObject*)>
PyObject* number(PyObject* o) {
  try {
    const Tensor t = numbers(o, "number");
    const py::object item = array_of(t, py::none()).attr("item")();
    return Convert(item.ptr());
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

// f"{x:.3f}": a 0-d tensor is formatted as its number; without a format everything is its str().
PyObject* format(PyObject* o, PyObject* spec) {
  try {
    if (!PyUnicode_Check(spec)) throw py::type_error("__format__: expected a str.");
    if (PyUnicode_GET_LENGTH(spec) == 0) return PyObject_Str(o);
    const Tensor t = tensor_from(py::handle(o));
    if (t.rank() != 0)
      throw py::type_error(join("format: expected a 0-d tensor for the format '", py::handle(spec).cast<std::string>(),
                                "', got shape ", t.shape(), ". Format x.numpy(), or one element."));
    const py::object item = array_of(t, py::none()).attr("item")();
    return PyObject_Format(item.ptr(), spec);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* index_number(PyObject* o) {
  try {
    const Tensor t = numbers(o, "index");
    if (is_floating(t.dtype()) || t.rank() != 0) throw py::type_error("index: expected a 0-d integer tensor.");
    const py::object item = array_of(t, py::none()).attr("item")();
    return PyNumber_Index(item.ptr());
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

const Shape& shape_of(PyObject* o) {
  if (is_tensor(o)) return held<Tensor>(o)->shape();
  if (is_symbol(o)) return held<Symbol>(o)->value.shape();
  return spec_of_variable(o).shape;
}

Py_ssize_t length(PyObject* o) {
  if (is_variable(o) && held<Variable>(o) == nullptr) {
    PyErr_SetString(PyExc_TypeError, "len(): expected an initialised variable; super().__init__() was not called.");
    return -1;
  }
  const Shape& s = shape_of(o);
  if (s.empty()) {
    PyErr_SetString(PyExc_TypeError, "len(): expected a tensor with axes, got a 0-d one.");
    return -1;
  }
  if (!s[0].is_fixed()) {
    PyErr_SetString(PyExc_TypeError, "len(): the first size of a symbolic value is not known.");
    return -1;
  }
  return static_cast<Py_ssize_t>(s[0].value());
}

// Whether an item of x[...] is a mask: True, False, or what holds such values.
bool is_mask(py::handle item) {
  PyObject* o = item.ptr();
  if (PyBool_Check(o)) return true;
  if (is_value(o)) return dtype_of_value(o) == DType::bool_;
  if (PyLong_Check(o) || PySlice_Check(o) || item.is_none() || o == Py_Ellipsis) return false;
  if (!PyList_Check(o) && !PyTuple_Check(o) && PyObject_HasAttrString(o, "dtype") == 0) return false;
  const py::array a = py::array::ensure(item);
  if (!a) PyErr_Clear();
  return a && a.dtype().kind() == 'b';
}

// x[...]: integers, slices, None, Ellipsis; one integer tensor or array gathers along its axis.
py::object subscript(py::object x, py::handle key) {
  const py::object ops = py::module_::import("layernet._core").attr("ops");
  py::tuple items = py::isinstance<py::tuple>(key) ? py::reinterpret_borrow<py::tuple>(key) : py::make_tuple(key);
  const Shape& shape = shape_of(x.ptr());
  std::size_t used = 0;
  bool ellipsis = false;
  for (const py::handle item : items) {
    if (is_mask(item))
      throw py::index_error(
          "index: expected integers, slices or an array of integers, got a mask of bool, whose result would have a "
          "shape that depends on values. Use ln.where(mask, x, 0), or ln.gather(x, positions) with positions such as "
          "np.flatnonzero(mask).");
    if (item.ptr() == Py_Ellipsis) {
      if (ellipsis) throw py::index_error("index: expected at most one '...'.");
      ellipsis = true;
    } else if (!item.is_none()) {
      ++used;
    }
  }
  if (used > shape.size())
    throw py::index_error(
        join("index: expected at most ", shape.size(), " indices for shape ", shape, ", got ", used, "."));
  py::list begin, end, strides, axes;
  Shape result;
  std::size_t axis = 0;
  py::object gather_index;
  std::int64_t gather_axis = -1;
  const auto keep = [&] { result.push_back(shape[axis++]); };
  for (const py::handle item : items) {
    if (item.ptr() == Py_Ellipsis) {
      for (std::size_t i = 0; i < shape.size() - used; ++i) keep();
    } else if (item.is_none()) {
      result.push_back(Dim(1));
    } else if (PySlice_Check(item.ptr())) {
      Py_ssize_t b, e, s;
      if (PySlice_Unpack(item.ptr(), &b, &e, &s) < 0) throw py::error_already_set();
      const auto& parts = py::reinterpret_borrow<py::slice>(item);
      const bool whole = parts.attr("start").is_none() && parts.attr("stop").is_none() && s == 1;
      if (whole) {
        keep();
        continue;
      }
      if (!shape[axis].is_fixed())
        throw GraphError(join("index: expected axis ", axis, " of shape ", shape,
                              " to be kept whole (:), since its size is symbolic."));
      const Py_ssize_t n = PySlice_AdjustIndices(static_cast<Py_ssize_t>(shape[axis].value()), &b, &e, s);
      begin.append(b);
      end.append(n == 0 ? b : s > 0 ? e : e);
      strides.append(s);
      axes.append(axis++);
      result.push_back(Dim(n));
    } else if (PyLong_Check(item.ptr()) || (PyIndex_Check(item.ptr()) && !is_symbol(item.ptr()) &&
                                            !py::isinstance<py::array>(item) && !is_value(item.ptr()))) {
      const Py_ssize_t i = PyNumber_AsSsize_t(item.ptr(), PyExc_IndexError);
      if (i == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
      if (!shape[axis].is_fixed())
        throw GraphError(join("index: expected a slice on axis ", axis, " of shape ", shape,
                              ", since its size is symbolic, got ", static_cast<long>(i), "."));
      const auto n = static_cast<Py_ssize_t>(shape[axis].value());
      if (i < -n || i >= n)
        throw py::index_error(join("index: expected an index in [", static_cast<long>(-n), ", ", static_cast<long>(n),
                                   ") on axis ", axis, ", got ", static_cast<long>(i), "."));
      const Py_ssize_t at = i < 0 ? i + n : i;
      begin.append(at);
      end.append(at + 1);
      strides.append(1);
      axes.append(axis++);
    } else {
      if (gather_axis >= 0) throw py::index_error("index: expected at most one index array.");
      gather_index = py::reinterpret_borrow<py::object>(item);
      gather_axis = static_cast<std::int64_t>(result.size());
      keep();
    }
  }
  while (axis < shape.size()) keep();
  if (py::len(axes) != 0)
    x = ops.attr("slice")(x, py::arg("begin") = begin, py::arg("end") = end, py::arg("strides") = strides,
                          py::arg("axes") = axes);
  if (!(shape_of(x.ptr()) == result)) {
    py::list sizes;
    bool open = false;
    for (const Dim d : result) {
      if (!d.is_fixed() && open) throw GraphError("index: expected at most one symbolic size in the result.");
      open = open || !d.is_fixed();
      sizes.append(d.is_fixed() ? d.value() : -1);
    }
    x = ops.attr("reshape")(x, py::arg("shape") = sizes);
  }
  if (gather_axis >= 0) x = ops.attr("gather")(x, gather_index, py::arg("axis") = gather_axis);
  if (is_variable(x.ptr())) x = x.attr("value")();
  return x;
}

PyObject* get_item(PyObject* x, PyObject* key) {
  try {
    return subscript(py::reinterpret_borrow<py::object>(x), key).release().ptr();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

template <PyObject* (*F)(PyObject*, PyObject*)>
PyObject* reflected(PyObject* self, PyObject* other) {
  return F(other, self);
}
PyObject* power_method(PyObject* a, PyObject* b) {
  return power(a, b, Py_None);
}
template <int Operation>
PyObject* compare_method(PyObject* a, PyObject* b) {
  return compare(a, b, Operation);
}
PyObject* hash_method(PyObject* self, PyObject*) {
  return PyLong_FromSsize_t(PyBaseObject_Type.tp_hash(self));
}
PyObject* bool_method(PyObject* self, PyObject*) {
  const int t = truth(self);
  return t < 0 ? nullptr : PyBool_FromLong(t);
}
PyObject* length_method(PyObject* self, PyObject*) {
  const Py_ssize_t n = length(self);
  return n < 0 ? nullptr : PyLong_FromSsize_t(n);
}
PyObject* iterate(PyObject* o) {
  return length(o) < 0 ? nullptr : PySeqIter_New(o);
}
PyObject* item_at(PyObject* o, Py_ssize_t i) {
  const py::object key = py::int_(i);
  return get_item(o, key.ptr());
}
template <PyObject* (*F)(PyObject*)>
PyObject* without_arguments(PyObject* self, PyObject*) {
  return F(self);
}

// Python subclasses build their slots from the names in the class, so each operator is there under its name as well.
PyMethodDef arithmetic_methods[] = {
    {"__add__", binary<k_add>, METH_O, nullptr},
    {"__radd__", reflected<binary<k_add>>, METH_O, nullptr},
    {"__sub__", binary<k_subtract>, METH_O, nullptr},
    {"__rsub__", reflected<binary<k_subtract>>, METH_O, nullptr},
    {"__mul__", binary<k_multiply>, METH_O, nullptr},
    {"__rmul__", reflected<binary<k_multiply>>, METH_O, nullptr},
    {"__truediv__", true_divide, METH_O, nullptr},
    {"__rtruediv__", reflected<true_divide>, METH_O, nullptr},
    {"__floordiv__", binary<k_floordiv>, METH_O, nullptr},
    {"__rfloordiv__", reflected<binary<k_floordiv>>, METH_O, nullptr},
    {"__mod__", binary<k_mod>, METH_O, nullptr},
    {"__rmod__", reflected<binary<k_mod>>, METH_O, nullptr},
    {"__pow__", power_method, METH_O, nullptr},
    {"__rpow__", reflected<power_method>, METH_O, nullptr},
    {"__matmul__", binary<k_matmul>, METH_O, nullptr},
    {"__rmatmul__", reflected<binary<k_matmul>>, METH_O, nullptr},
    {"__and__", binary<k_logical_and>, METH_O, nullptr},
    {"__rand__", reflected<binary<k_logical_and>>, METH_O, nullptr},
    {"__or__", binary<k_logical_or>, METH_O, nullptr},
    {"__ror__", reflected<binary<k_logical_or>>, METH_O, nullptr},
    {"__xor__", binary<k_logical_xor>, METH_O, nullptr},
    {"__rxor__", reflected<binary<k_logical_xor>>, METH_O, nullptr},
    {"__neg__", without_arguments<unary<k_negative>>, METH_NOARGS, nullptr},
    {"__pos__", without_arguments<unary<k_identity>>, METH_NOARGS, nullptr},
    {"__abs__", without_arguments<unary<k_abs>>, METH_NOARGS, nullptr},
    {"__invert__", without_arguments<unary<k_logical_not>>, METH_NOARGS, nullptr},
    {"__eq__", compare_method<Py_EQ>, METH_O, nullptr},
    {"__ne__", compare_method<Py_NE>, METH_O, nullptr},
    {"__lt__", compare_method<Py_LT>, METH_O, nullptr},
    {"__le__", compare_method<Py_LE>, METH_O, nullptr},
    {"__gt__", compare_method<Py_GT>, METH_O, nullptr},
    {"__ge__", compare_method<Py_GE>, METH_O, nullptr},
    {"__hash__", hash_method, METH_NOARGS, nullptr},
    {"__getitem__", get_item, METH_O, nullptr},
};
PyMethodDef number_methods[] = {
    {"__format__", format, METH_O, nullptr},
    {"__bool__", bool_method, METH_NOARGS, nullptr},
    {"__float__", without_arguments<number<PyNumber_Float>>, METH_NOARGS, nullptr},
    {"__int__", without_arguments<number<PyNumber_Long>>, METH_NOARGS, nullptr},
    {"__index__", without_arguments<index_number>, METH_NOARGS, nullptr},
    {"__len__", length_method, METH_NOARGS, nullptr},
    {"__iter__", without_arguments<iterate>, METH_NOARGS, nullptr},
};

template <std::size_t N>
void add_methods(PyTypeObject* type, PyMethodDef (&methods)[N]) {
  for (PyMethodDef& m : methods) {
    const auto descriptor = py::reinterpret_steal<py::object>(PyDescr_NewMethod(type, &m));
    if (!descriptor || PyObject_SetAttrString(reinterpret_cast<PyObject*>(type), m.ml_name, descriptor.ptr()) != 0)
      throw py::error_already_set();
  }
}

void set_slots(PyTypeObject* type, bool numeric) {
  add_methods(type, arithmetic_methods);
  if (numeric) add_methods(type, number_methods);
  PyNumberMethods& n = *type->tp_as_number;
  n.nb_add = binary<k_add>;
  n.nb_subtract = binary<k_subtract>;
  n.nb_multiply = binary<k_multiply>;
  n.nb_true_divide = true_divide;
  n.nb_floor_divide = binary<k_floordiv>;
  n.nb_remainder = binary<k_mod>;
  n.nb_power = power;
  n.nb_matrix_multiply = binary<k_matmul>;
  n.nb_negative = unary<k_negative>;
  n.nb_positive = unary<k_identity>;
  n.nb_absolute = unary<k_abs>;
  n.nb_and = binary<k_logical_and>;
  n.nb_or = binary<k_logical_or>;
  n.nb_xor = binary<k_logical_xor>;
  n.nb_invert = unary<k_logical_not>;
  type->tp_richcompare = compare;
  type->tp_hash = PyBaseObject_Type.tp_hash;
  type->tp_as_mapping->mp_subscript = get_item;
  if (numeric) {
    n.nb_bool = truth;
    n.nb_float = number<PyNumber_Float>;
    n.nb_int = number<PyNumber_Long>;
    n.nb_index = index_number;
    type->tp_as_mapping->mp_length = length;
    type->tp_as_sequence->sq_length = length;
    type->tp_iter = iterate;
    type->tp_as_sequence->sq_item = item_at;
  }
  PyType_Modified(type);
}

}  // namespace

void bind_operators() {
  set_slots(types.tensor, true);
  set_slots(types.variable, true);
  set_slots(types.symbol, false);
}

}  // namespace layernet::python
