// A service's own C++ module: takes a layernet.Predictor once, then scores batches from C++ threads without the GIL.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <layernet/python.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

namespace py = pybind11;
using Array = py::array_t<float, py::array::c_style | py::array::forcecast>;

class Scorer {
 public:
  explicit Scorer(const py::object& predictor) : predictor_(taken(predictor)) {
    width_ = predictor_.input_bytes(0, 1) / sizeof(float);
    outputs_ = predictor_.output_bytes(0, 1) / sizeof(float);
  }

  py::array_t<float> score(const Array& x, int threads) const {
    if (x.ndim() != 2 || static_cast<std::size_t>(x.shape(1)) != width_)
      throw py::value_error("score: expected [rows, features]");
    if (threads < 1) throw py::value_error("score: expected threads >= 1");
    const auto rows = static_cast<std::size_t>(x.shape(0));
    py::array_t<float> y({rows, outputs_});
    const float* from = x.data();
    float* to = y.mutable_data();
    {
      const py::gil_scoped_release release;
      split(from, rows, to, static_cast<std::size_t>(threads));
    }
    return y;
  }

 private:
  static layernet::Predictor taken(const py::object& object) {
    try {
      return layernet::from_python(object.ptr());
    } catch (const layernet::PredictorError&) {
      if (PyErr_Occurred()) throw py::error_already_set();
      throw;
    }
  }

  void split(const float* x, std::size_t rows, float* y, std::size_t threads) const {
    const std::size_t each = (rows + threads - 1) / threads;
    std::vector<std::thread> workers;
    std::vector<std::exception_ptr> errors(threads);
    for (std::size_t i = 0; i < threads; ++i)
      workers.emplace_back([&, i] {
        const std::size_t begin = std::min(rows, i * each), end = std::min(rows, begin + each);
        try {
          predictor_.run(x + begin * width_, end - begin, y + begin * outputs_);
        } catch (...) {
          errors[i] = std::current_exception();
        }
      });
    for (std::thread& worker : workers) worker.join();
    for (const std::exception_ptr& error : errors)
      if (error) std::rethrow_exception(error);
  }

  layernet::Predictor predictor_;
  std::size_t width_ = 0, outputs_ = 0;
};

PYBIND11_MODULE(scorer, m) {
  py::class_<Scorer>(m, "Scorer")
      .def(py::init<const py::object&>(), py::arg("predictor"))
      .def("score", &Scorer::score, py::arg("x"), py::arg("threads") = 1);
}
