// The one entry by which Python applies ops: a callable object per op with the vectorcall protocol, made from the
// registry. Attributes are set by walking the op's fields; no binding is written per op.
#include <cstring>

#include "bindings/common.h"
// After Python.h: names of member descriptors before Python 3.12.
#include <structmember.h>

#include "core/error.h"

namespace layernet::python {

// Lists of integers are int32, or int64 where one does not fit, and empty lists are integers too.
Tensor indices_from(py::handle object);

namespace {

// What the text of OpDef::inputs says about each input.
struct InputRule {
  enum class Type : std::uint8_t { like_others, boolean, index, own } type = Type::like_others;
  bool list = false, optional = false;
  std::string name;
};

struct OpFunction {
  PyObject_HEAD vectorcallfunc call;
  const OpDef* op;
  std::vector<InputRule>* rules;
};

PyTypeObject* op_function_type = nullptr;

std::vector<InputRule> parse_rules(const OpDef& op) {
  std::vector<InputRule> rules;
  std::string text = op.inputs, word;
  text += ',';
  for (const char c : text) {
    if (c == '[') {
      rules.emplace_back().list = true;
    } else if (c == ',') {
      if (!word.empty()) {
        if (rules.empty() || !rules.back().list || !rules.back().name.empty()) rules.emplace_back();
        InputRule& r = rules.back();
        r.name = word;
        if (word == "condition") r.type = InputRule::Type::boolean;
        if (word == "indices" || word == "labels_index") r.type = InputRule::Type::index;
        if (word == "state") r.type = InputRule::Type::own;
      }
      word.clear();
    } else if (c != ' ' && c != ']') {
      word += c;
    }
  }
  for (InputRule& r : rules)
    if (!r.name.empty() && r.name.back() == '?') {
      r.optional = true;
      r.name.pop_back();
    }
  return rules;
}

// Sets attributes from keyword arguments.
class KeywordVisitor final : public FieldVisitor {
 public:
  KeywordVisitor(const char* op, PyObject* names, PyObject* const* values) : op_(op), names_(names), values_(values) {}
  int used = 0;

  void operator()(const char* name, bool& v) override {
    if (PyObject* o = find(name)) v = truth(name, o);
  }
  void operator()(const char* name, std::int64_t& v) override {
    if (PyObject* o = find(name)) v = integer(name, o);
  }
  void operator()(const char* name, double& v) override {
    PyObject* o = find(name);
    if (o == nullptr) return;
    v = PyFloat_AsDouble(o);
    if (v == -1.0 && PyErr_Occurred() != nullptr) wrong(name, "a number", o);
  }
  void operator()(const char* name, DType& v) override {
    if (PyObject* o = find(name)) v = dtype_of(o);
  }
  void operator()(const char* name, Ints& v) override {
    PyObject* o = find(name);
    if (o == nullptr) return;
    v.clear();
    if (PyLong_Check(o)) return v.push_back(integer(name, o));
    PyObject* items = PySequence_Fast(o, "");
    if (items == nullptr) wrong(name, "integers", o);
    const py::object owner = py::reinterpret_steal<py::object>(items);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); ++i)
      v.push_back(integer(name, PySequence_Fast_GET_ITEM(items, i)));
  }
  void operator()(const char* name, Shape& v) override {
    if (PyObject* o = find(name)) v = shape_from(o);
  }
  void choice(const char* name, int& v, const char* const* words, int count) override {
    PyObject* o = find(name);
    if (o == nullptr) return;
    const char* word = PyUnicode_Check(o) ? PyUnicode_AsUTF8(o) : nullptr;
    std::string all;
    for (int i = 0; i < count; ++i) {
      if (word != nullptr && std::strcmp(word, words[i]) == 0) {
        v = i;
        return;
      }
      all += std::string(i ? ", " : "") + "'" + words[i] + "'";
    }
    throw InvalidArgumentError(
        join(op_, ": expected ", name, " to be one of ", all, ", got ", py::repr(o).cast<std::string>(), "."));
  }

 private:
  PyObject* find(const char* name) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names_); ++i)
      if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names_, i), name) == 0) {
        ++used;
        return values_[i];
      }
    return nullptr;
  }
  [[noreturn]] void wrong(const char* name, const char* expected, PyObject* got) {
    PyErr_Clear();
    throw py::type_error(
        join(op_, ": expected ", name, " to be ", expected, ", got ", py::repr(got).cast<std::string>(), "."));
  }
  std::int64_t integer(const char* name, PyObject* o) {
    const Py_ssize_t n = PyNumber_AsSsize_t(o, PyExc_OverflowError);
    if (n == -1 && PyErr_Occurred() != nullptr) wrong(name, "an integer", o);
    return n;
  }
  bool truth(const char* name, PyObject* o) {
    const int t = PyObject_IsTrue(o);
    if (t < 0) wrong(name, "a bool", o);
    return t != 0;
  }
  const char* op_;
  PyObject* names_;
  PyObject* const* values_;
};

// Attributes of one call on the stack.
class Attributes {
 public:
  explicit Attributes(const OpDef& op) : op_(op) {
    if (op.stateless) return;
    const std::size_t bytes = op.construct(op.defaults.get(), room_, sizeof room_);
    if (bytes > sizeof room_)
      throw InvalidArgumentError(join(op.name, ": attributes do not fit ", sizeof room_, " bytes."));
  }
  ~Attributes() {
    if (!op_.stateless) op_.destroy(room_);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  void* get() noexcept { return op_.stateless ? const_cast<void*>(op_.defaults.get()) : room_; }

 private:
  const OpDef& op_;
  alignas(16) unsigned char room_[kMaxOpBytes];
};

bool any_symbol(PyObject* o) {
  if (is_symbol(o)) return true;
  if (is_tensor(o)) return false;
  if (!PyList_Check(o) && !PyTuple_Check(o)) return false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
    if (is_symbol(PySequence_Fast_GET_ITEM(o, i))) return true;
  return false;
}

class Arguments {
 public:
  Arguments(const OpDef& op, const std::vector<InputRule>& rules, PyObject* const* args, Py_ssize_t n)
      : op_(op), rules_(rules) {
    for (Py_ssize_t i = 0; i < n; ++i) symbolic_ = symbolic_ || any_symbol(args[i]);
    gather(args, n);
  }
  Values values;
  Targets targets;

 private:
  void gather(PyObject* const* args, Py_ssize_t n) {
    std::size_t required = rules_.size();
    while (required > 0 && rules_[required - 1].optional) --required;
    if (static_cast<std::size_t>(n) < required || static_cast<std::size_t>(n) > rules_.size())
      throw py::type_error(
          join(op_.name, ": expected the inputs (", op_.inputs, "), got ", static_cast<long>(n), " of them."));
    for (Py_ssize_t i = 0; i < n; ++i) {
      const InputRule& rule = rules_[static_cast<std::size_t>(i)];
      if (i < op_.updates) {
        if (!is_variable(args[i]))
          throw py::type_error(join(op_.name, ": expected input ", rule.name, " to be a Variable, got ",
                                    std::string(Py_TYPE(args[i])->tp_name), "."));
        targets.push_back(variable(args[i])->shared_from_this());
        note(targets.back()->spec().dtype, rule);
        add(Value(), nullptr, rule);
      } else if (rule.list) {
        PyObject* items = PySequence_Fast(args[i], "");
        if (items == nullptr) {
          PyErr_Clear();
          throw py::type_error(join(op_.name, ": expected ", rule.name, " to be a list of tensors, got ",
                                    std::string(Py_TYPE(args[i])->tp_name), "."));
        }
        owners_.push_back(py::reinterpret_steal<py::object>(items));
        for (Py_ssize_t j = 0; j < PySequence_Fast_GET_SIZE(items); ++j) one(PySequence_Fast_GET_ITEM(items, j), rule);
      } else if (args[i] == Py_None && rule.optional) {
        for (Py_ssize_t j = i + 1; j < n; ++j)
          if (args[j] != Py_None)
            throw py::type_error(join(op_.name, ": expected ", rule.name, " where ",
                                      rules_[static_cast<std::size_t>(j)].name, " is given, got None."));
        break;
      } else {
        one(args[i], rule);
      }
    }
    for (std::size_t i = 0; i < values.size(); ++i)
      if (raw_[i] != nullptr) values[i] = convert(raw_[i], *kinds_[i]);
  }
  void one(PyObject* o, const InputRule& rule) {
    Value v;
    if (is_tensor(o)) {
      v = Value(*held<Tensor>(o));
    } else if (is_symbol(o)) {
      v = held<Symbol>(o)->value;
    } else if (is_variable(o)) {
      v = current_emitter().read(variable(o)->shared_from_this(), symbolic_);
    } else if (const py::object value = value_stood_for(o)) {
      return one(value.ptr(), rule);
    } else {
      return add(Value(), o, rule);
    }
    note(v.dtype(), rule);
    add(std::move(v), nullptr, rule);
  }
  Variable* variable(PyObject* o) const {
    auto* v = held<Variable>(o);
    if (v == nullptr)
      throw py::type_error("Variable: expected an initialised variable; super().__init__() was not called.");
    return v;
  }
  void add(Value v, PyObject* raw, const InputRule& rule) {
    values.push_back(std::move(v));
    raw_.push_back(raw);
    kinds_.push_back(&rule);
  }
  void note(DType t, const InputRule& rule) {
    if (rule.type != InputRule::Type::like_others || known_) return;
    dtype_ = t;
    known_ = true;
  }
  // Numbers, lists and arrays take the type of the other inputs; alone they keep their own.
  Value convert(PyObject* o, const InputRule& rule) {
    switch (rule.type) {
      case InputRule::Type::boolean: {
        const DType b = DType::bool_;
        return Value(tensor_from(o, &b));
      }
      case InputRule::Type::index:
        return Value(indices_from(o));
      case InputRule::Type::own:
        return Value(tensor_from(o));
      default:
        break;
    }
    if (known_) {
      if (py::isinstance<py::array>(o)) {
        // An array of another floating type is rounded to the type of the tensors it meets.
        const Tensor t = tensor_from(o);
        if (is_floating(t.dtype()) && is_floating(dtype_) && t.dtype() != dtype_) {
          static const OpDef& cast = *find_op("cast");
          Attributes attributes(cast);
          const py::tuple names = py::make_tuple("dtype");
          const py::object wanted = dtype_object(dtype_);
          PyObject* const args[1] = {wanted.ptr()};
          KeywordVisitor visitor("cast", names.ptr(), args);
          cast.visit(attributes.get(), visitor);
          return current_emitter().emit(cast, attributes.get(), {Value(t)}, Targets())[0];
        }
      }
      return Value(tensor_from(o, &dtype_));
    }
    Value v(tensor_from(o));
    note(v.dtype(), rule);
    return v;
  }

  const OpDef& op_;
  const std::vector<InputRule>& rules_;
  SmallVector<PyObject*, 8> raw_;
  SmallVector<const InputRule*, 8> kinds_;
  SmallVector<py::object, 1> owners_;
  DType dtype_ = DType::float32;
  bool known_ = false;
  bool symbolic_ = false;
};

// Elements above which the GIL is given up: about 10 us of elementwise work, against 0.1 us for giving it up and taking
// it back.
constexpr std::int64_t kReleaseElements = 1 << 15;

bool is_heavy(const Values& values) {
  std::int64_t work = 0;
  for (const Value& v : values)
    if (v && v.is_tensor()) work += v.tensor().size();
  return work > kReleaseElements;
}

PyObject* results(Values values) {
  if (values.size() == 1) return wrap(std::move(values[0])).release().ptr();
  if (values.empty()) return Py_NewRef(Py_None);
  py::tuple out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    PyTuple_SET_ITEM(out.ptr(), static_cast<Py_ssize_t>(i), wrap(std::move(values[i])).release().ptr());
  return out.release().ptr();
}

PyObject* apply(const OpFunction& f, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  const OpDef& op = *f.op;
  Arguments inputs(op, *f.rules, args, n);
  Attributes attributes(op);
  if (names != nullptr && PyTuple_GET_SIZE(names) != 0) {
    KeywordVisitor visitor(op.name, names, args + n);
    op.visit(attributes.get(), visitor);
    if (visitor.used != PyTuple_GET_SIZE(names))
      throw py::type_error(join(op.name, ": expected attributes of the op, got an unknown keyword among ",
                                py::repr(names).cast<std::string>(), "."));
  }
  Values out;
  if (is_heavy(inputs.values)) {
    const py::gil_scoped_release release;
    out = current_emitter().emit(op, attributes.get(), std::move(inputs.values), inputs.targets);
  } else {
    out = current_emitter().emit(op, attributes.get(), std::move(inputs.values), inputs.targets);
  }
  return results(std::move(out));
}

PyObject* op_vectorcall(PyObject* self, PyObject* const* args, std::size_t nargsf, PyObject* names) noexcept {
  try {
    return apply(*reinterpret_cast<OpFunction*>(self), args, PyVectorcall_NARGS(nargsf), names);
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* op_repr(PyObject* self) {
  return PyUnicode_FromFormat("<op %s>", reinterpret_cast<OpFunction*>(self)->op->name);
}

PyObject* op_name(PyObject* self, void*) {
  return PyUnicode_FromString(reinterpret_cast<OpFunction*>(self)->op->name);
}

PyObject* op_reduce(PyObject* self, PyObject*) {
  const py::object getattr = py::module_::import("builtins").attr("getattr");
  const py::object ops = py::module_::import("layernet._core").attr("ops");
  return py::make_tuple(getattr, py::make_tuple(ops, reinterpret_cast<OpFunction*>(self)->op->name)).release().ptr();
}

PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(OpFunction, call), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};
PyGetSetDef getset[] = {{"__name__", op_name, nullptr, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef methods[] = {{"__reduce__", op_reduce, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                       {Py_tp_repr, reinterpret_cast<void*>(op_repr)},
                       {Py_tp_members, members},
                       {Py_tp_getset, getset},
                       {Py_tp_methods, methods},
                       {0, nullptr}};
PyType_Spec spec = {"layernet._core.Op", sizeof(OpFunction), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

std::vector<OpFunction*>& functions() {
  static auto* all = new std::vector<OpFunction*>();  // as long-lived as the types they refer to
  return *all;
}

class FieldList final : public FieldVisitor {
 public:
  py::dict fields;
  void operator()(const char* n, bool& v) override { fields[n] = v; }
  void operator()(const char* n, std::int64_t& v) override { fields[n] = v; }
  void operator()(const char* n, double& v) override { fields[n] = v; }
  void operator()(const char* n, DType& v) override { fields[n] = dtype_object(v); }
  void operator()(const char* n, Ints& v) override {
    fields[n] = py::cast(std::vector<std::int64_t>(v.begin(), v.end()));
  }
  void operator()(const char* n, Shape& v) override { fields[n] = shape_tuple(v); }
  void choice(const char* n, int& v, const char* const* words, int) override { fields[n] = words[v]; }
};

}  // namespace

PyObject* op_function(const char* name) {
  for (OpFunction* f : functions())
    if (std::strcmp(f->op->name, name) == 0) return reinterpret_cast<PyObject*>(f);
  return nullptr;
}

py::object call_op(const char* name, std::initializer_list<py::handle> args) {
  PyObject* list[8];
  std::size_t n = 0;
  for (const py::handle a : args) list[n++] = a.ptr();
  return py::reinterpret_steal<py::object>(
      apply(*reinterpret_cast<OpFunction*>(op_function(name)), list, static_cast<Py_ssize_t>(n), nullptr));
}

PyObject* call_op_function(PyObject* f, PyObject* const* args, std::size_t n) {
  return op_vectorcall(f, args, n, nullptr);
}

void bind_ops(py::module_& m) {
  op_function_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (op_function_type == nullptr) throw py::error_already_set();
  m.attr("Op") = py::handle(reinterpret_cast<PyObject*>(op_function_type));
  py::module_ ops = m.def_submodule("ops", "Every op of the library: inputs by position, attributes by keyword.");
  py::list described;
  for (std::size_t i = 0; i < op_count(); ++i) {
    const OpDef& op = op_at(i);
    auto* f = PyObject_New(OpFunction, op_function_type);
    if (f == nullptr) throw py::error_already_set();
    f->call = op_vectorcall;
    f->op = &op;
    f->rules = new std::vector<InputRule>(parse_rules(op));
    functions().push_back(f);
    ops.attr(op.name) = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(f));
    Py_INCREF(f);
  }
  m.def(
      "op_list",
      [] {
        py::list out;
        for (std::size_t i = 0; i < op_count(); ++i) {
          const OpDef& op = op_at(i);
          FieldList fields;
          op.visit(const_cast<void*>(op.defaults.get()), fields);
          py::dict d;
          d["name"] = op.name;
          d["inputs"] = op.inputs;
          d["attributes"] = fields.fields;
          d["updates"] = op.updates;
          d["differentiable"] = op.differentiable();
          d["no_gradient"] = op.no_gradient != nullptr ? py::object(py::str(op.no_gradient)) : py::none();
          out.append(d);
        }
        return out;
      },
      "What ops there are: name, inputs, attributes with defaults, updates, differentiable.");
}

}  // namespace layernet::python
