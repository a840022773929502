// Tracing, graphs and plans.
#include "bindings/common.h"
#include "core/error.h"
#include "layernet/plan.h"

namespace layernet::python {

namespace {

std::vector<Value> values_of(const py::list& items) {
  std::vector<Value> out;
  for (const py::handle item : items) out.push_back(value_from(item));
  return out;
}

// Python's with-blocks around the C++ scopes.
template <class Scope>
struct ScopeObject {
  std::unique_ptr<Scope> scope;
  std::vector<Ref<Node>> effects;
};

struct EffectObject {
  Ref<Node> node;
};

// Arrays as inputs of the plan, and room for its outputs.
struct Ports {
  std::vector<Tensor> inputs, outputs;
  std::vector<const void*> in;
  std::vector<void*> out;
  std::int64_t n = 0;
};

Ports ports_of(const Plan& plan, const py::list& arrays) {
  if (arrays.size() != plan.inputs().size())
    throw ShapeError(join("plan: expected ", plan.inputs().size(), " inputs, got ", arrays.size(), "."));
  Ports ports;
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const DType t = plan.inputs()[i].spec.dtype;
    ports.inputs.push_back(tensor_from(arrays[i], &t));
    ports.in.push_back(ports.inputs.back().data());
    shapes.push_back(ports.inputs.back().shape());
  }
  ports.n = plan.batch_of(shapes.data(), shapes.size());
  for (const PlanPort& port : plan.outputs()) {
    Shape s = port.spec.shape;
    for (Dim& d : s) d = Dim(d.at(ports.n));
    ports.outputs.push_back(Tensor::empty(Spec(port.spec.dtype, std::move(s))));
    ports.out.push_back(ports.outputs.back().mutable_data());
  }
  return ports;
}

py::list run_plan(const Plan& plan, const py::list& arrays) {
  Ports ports = ports_of(plan, arrays);
  {
    const py::gil_scoped_release release;
    if (plan.updates()) {
      plan.update(1, ports.n, ports.in.data(), ports.out.data());
    } else {
      const WorkspaceLease lease(plan, ports.n);
      plan.run(ports.n, ports.in.data(), ports.out.data(), *lease);
    }
  }
  py::list result;
  for (const Tensor& t : ports.outputs) result.append(array_of(t, py::none()));
  return result;
}

// One step that also says how long each of its parts took.
py::tuple profile_step(const Plan& plan, const py::list& arrays, int threads) {
  const Ports ports = ports_of(plan, arrays);
  std::vector<double> seconds(plan.steps().size(), 0.0);
  {
    const py::gil_scoped_release release;
    plan.update(threads, ports.n, ports.in.data(), ports.out.data(), seconds.data());
  }
  py::list results;
  for (const Tensor& t : ports.outputs) results.append(array_of(t, py::none()));
  return py::make_tuple(results, seconds);
}

std::vector<double> profile_plan(const Plan& plan, const py::list& arrays) {
  const Ports ports = ports_of(plan, arrays);
  const py::gil_scoped_release release;
  return plan.profile(ports.n, ports.in.data(), ports.out.data());
}

}  // namespace

void bind_graph(py::module_& m) {
  m.def(
      "placeholder",
      [](const py::sequence& shape, py::handle dtype, const std::string& name) {
        Shape s = shape_from(shape);
        if (!s.empty() && s[0].is_unknown()) s[0] = Dim::batch();
        return wrap(placeholder(Spec(dtype_of(dtype), std::move(s)), name));
      },
      py::arg("shape"), py::arg("dtype") = "float32", py::arg("name") = "");
  m.def("depends_on", [](const py::list& outputs, const py::list& inputs) {
    Values outs, ins;
    for (const py::handle o : outputs) outs.push_back(value_from(o));
    for (const py::handle i : inputs) ins.push_back(value_from(i));
    return depends_on(outs, ins);
  });
  m.def("is_tracing", &Trace::active);

  py::class_<EffectObject>(m, "Effect", "An update of variables recorded by a trace.")
      .def_property_readonly("op", [](const EffectObject& e) { return e.node->op->name; })
      .def_property_readonly("variables",
                             [](const EffectObject& e) {
                               py::list out;
                               for (const auto& v : e.node->targets) out.append(py::cast(v));
                               return out;
                             })
      .def("depends_on", [](const EffectObject& e, const py::list& inputs) {
        Values ins, outs;
        for (const py::handle i : inputs) ins.push_back(value_from(i));
        for (const Value& v : e.node->inputs)
          if (v && v.is_symbol()) outs.push_back(v);
        return depends_on(outs, ins);
      });

  py::class_<ScopeObject<Trace>>(m, "Trace",
                                 "with Trace(): ops on variables give symbols; updates are recorded as effects.")
      .def(py::init<>())
      .def("__enter__",
           [](py::object self) {
             self.cast<ScopeObject<Trace>&>().scope = std::make_unique<Trace>();
             return self;
           })
      .def("__exit__",
           [](ScopeObject<Trace>& t, py::args) {
             t.effects = t.scope->effects();
             t.scope.reset();
           })
      .def_property_readonly("effects", [](const ScopeObject<Trace>& t) {
        py::list out;
        for (const Ref<Node>& node : t.scope ? t.scope->effects() : t.effects) out.append(EffectObject{node});
        return out;
      });
  py::class_<ScopeObject<TracePause>>(m, "NoTrace",
                                      "with NoTrace(): ops on variables run at once, also inside a trace.")
      .def(py::init<>())
      .def("__enter__",
           [](py::object self) {
             self.cast<ScopeObject<TracePause>&>().scope = std::make_unique<TracePause>();
             return self;
           })
      .def("__exit__", [](ScopeObject<TracePause>& t, py::args) { t.scope.reset(); });

  py::class_<Graph>(m, "Graph", "What some outputs compute from some inputs.")
      .def(py::init([](const py::list& inputs, const py::list& outputs, const py::list& effects) {
             std::vector<Ref<Node>> nodes;
             for (const py::handle e : effects) nodes.push_back(e.cast<EffectObject&>().node);
             return Graph(values_of(inputs), values_of(outputs), std::move(nodes));
           }),
           py::arg("inputs"), py::arg("outputs"), py::arg("effects") = py::list())
      .def("text", &Graph::text)
      .def_property_readonly("num_nodes", [](const Graph& g) { return g.nodes().size(); })
      .def_property_readonly("inputs",
                             [](const Graph& g) {
                               py::list out;
                               for (const Value& v : g.inputs()) out.append(wrap(v));
                               return out;
                             })
      .def_property_readonly("outputs", [](const Graph& g) {
        py::list out;
        for (const Value& v : g.outputs()) out.append(wrap(v));
        return out;
      });

  py::class_<Plan, std::shared_ptr<Plan>>(m, "Plan",
                                          "A graph made ready to run: variables read, kernels chosen, weights packed.")
      .def(py::init([](const Graph& graph, py::handle weights) {
             return std::const_pointer_cast<Plan>(Plan::build(graph, dtype_of(weights)));
           }),
           py::arg("graph"), py::arg("weights") = "float32")
      .def("run", &run_plan, py::arg("inputs"))
      .def("profile", &profile_plan, py::arg("inputs"))
      .def_static(
          "step", [](const Graph& graph) { return std::const_pointer_cast<Plan>(Plan::build_step(graph)); },
          py::arg("graph"))
      .def("profile_step", &profile_step, py::arg("inputs"), py::arg("threads") = 1)
      .def("workspace_bytes", &Plan::workspace_bytes, py::arg("n"))
      .def_property_readonly("last_axis_only", &Plan::last_axis_only)
      .def("text", &Plan::text)
      .def_property_readonly("constant_bytes", &Plan::constant_bytes)
      .def_property_readonly("steps",
                             [](const Plan& p) {
                               py::list out;
                               for (const PlanStepInfo& s : p.steps()) {
                                 py::dict d;
                                 d["op"] = s.op;
                                 d["kernel"] = s.kernel;
                                 d["inputs"] = s.inputs;
                                 d["outputs"] = s.outputs;
                                 d["constant_bytes"] = s.constant_bytes;
                                 d["flops"] = s.flops;
                                 d["flops_per_row"] = s.flops_per_row;
                                 out.append(d);
                               }
                               return out;
                             })
      .def("capsule", [](const std::shared_ptr<Plan>& p) {
        auto* held = new std::shared_ptr<const Plan>(p);
        return py::capsule(held, "layernet.Plan", [](PyObject* c) {
          delete static_cast<std::shared_ptr<const Plan>*>(PyCapsule_GetPointer(c, "layernet.Plan"));
        });
      });
}

}  // namespace layernet::python
