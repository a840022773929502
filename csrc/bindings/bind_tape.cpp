// Tape as Python drives it; GradientTape (tape.py) adds structure and rules.
#include "autograd/tape.h"
#include "bindings/common.h"

namespace layernet::python {

namespace {

Values values_of(const py::list& items) {
  Values out;
  for (const py::handle item : items) out.push_back(item.is_none() ? Value() : value_from(item));
  return out;
}

// For each source its gradient, or None, and with `by_rows` a pair of that and a list of pairs (rows, numbers).
py::list gradient(Tape& tape, const py::list& targets, const py::list& sources, const py::object& output_gradients,
                  bool by_rows) {
  Values ys;
  for (const py::handle t : targets) {
    // A variable as a target is its value as the tape knows it.
    ys.push_back(value_from(t));
  }
  std::vector<Tape::Source> xs;
  for (const py::handle s : sources) {
    Tape::Source source;
    if (is_variable(s.ptr()))
      source.variable = held<Variable>(s.ptr())->shared_from_this();
    else
      source.value = value_from(s);
    xs.push_back(std::move(source));
  }
  Values weights;
  if (!output_gradients.is_none()) weights = values_of(output_gradients.cast<py::list>());
  Values grads;
  std::vector<std::vector<Tape::Rows>> rows;
  {
    const py::gil_scoped_release release;
    grads = tape.gradient(ys, xs, weights, by_rows ? &rows : nullptr);
  }
  py::list out;
  for (std::size_t i = 0; i < grads.size(); ++i) {
    py::object dense = wrap(std::move(grads[i]));
    if (!by_rows) {
      out.append(std::move(dense));
      continue;
    }
    py::list parts;
    for (Tape::Rows& part : rows[i])
      parts.append(py::make_tuple(wrap(std::move(part.rows)), wrap(std::move(part.numbers))));
    out.append(py::make_tuple(std::move(dense), std::move(parts)));
  }
  return out;
}

}  // namespace

void bind_tape(py::module_& m) {
  py::class_<Tape>(m, "Tape", "Records ops for differentiation; one thread at a time.")
      .def(py::init<bool>(), py::arg("persistent") = false)
      .def("push", &Tape::push)
      .def("pop", &Tape::pop)
      .def_property_readonly("active", &Tape::active)
      .def("stop", &Tape::stop)
      .def("resume", &Tape::resume)
      .def("reset", &Tape::reset)
      .def("watch",
           [](Tape& tape, py::handle value) {
             if (is_variable(value.ptr()))
               tape.watch(held<Variable>(value.ptr())->shared_from_this());
             else
               tape.watch(value_from(value));
           })
      .def("watched_variables",
           [](const Tape& tape) {
             py::list out;
             for (const auto& v : tape.watched_variables()) out.append(py::cast(v));
             return out;
           })
      .def("gradient", &gradient, py::arg("targets"), py::arg("sources"), py::arg("output_gradients") = py::none(),
           py::arg("by_rows") = false);
}

}  // namespace layernet::python
