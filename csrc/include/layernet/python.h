// For extension modules of Python: the C++ side of a layernet.Predictor object, without linking with the library.
//
//   layernet::Predictor net = layernet::from_python(object);   // with the GIL; afterwards any thread may call net,
//   without it
//
// Include this after Python.h (pybind11 and Cython have done so already).
#pragma once

#include <Python.h>

#include "layernet/predictor.h"

namespace layernet {

// The table of functions of the layernet that is installed. nullptr with a Python exception set when it is not, or does
// not fit.
inline const layernet_api* import_layernet() {
  static const layernet_api* api = nullptr;
  if (api != nullptr) return api;
  PyObject* module = PyImport_ImportModule("layernet._predict");
  if (module == nullptr) return nullptr;
  PyObject* capsule = PyObject_GetAttrString(module, "C_API");
  Py_DECREF(module);
  if (capsule == nullptr) return nullptr;
  const auto* found = static_cast<const layernet_api*>(PyCapsule_GetPointer(capsule, "layernet.c_api"));
  Py_DECREF(capsule);
  if (found == nullptr) return nullptr;
  if (found->abi_version != LAYERNET_ABI_VERSION || found->size < static_cast<int32_t>(sizeof(layernet_api))) {
    PyErr_Format(PyExc_ImportError, "layernet: expected a library of ABI version %d, got %d. Build this module again.",
                 LAYERNET_ABI_VERSION, static_cast<int>(found->abi_version));
    return nullptr;
  }
  return api = found;
}

// Throws PredictorError, with a Python exception set, when the object is not a layernet.Predictor. The result does not
// need the object any more.
inline Predictor from_python(PyObject* object) {
  const layernet_api* api = import_layernet();
  PyObject* capsule = api != nullptr ? PyObject_GetAttrString(object, "handle") : nullptr;
  void* handle = capsule != nullptr ? PyCapsule_GetPointer(capsule, "layernet.predictor") : nullptr;
  if (handle == nullptr) {
    Py_XDECREF(capsule);
    if (api != nullptr)
      PyErr_Format(PyExc_TypeError, "expected a layernet.Predictor, got %s.", Py_TYPE(object)->tp_name);
    throw PredictorError(LAYERNET_INVALID_ARGUMENT, "from_python: expected a layernet.Predictor.");
  }
  auto* predictor = static_cast<layernet_predictor*>(handle);
  api->retain(predictor);
  Py_DECREF(capsule);
  return Predictor(api, predictor);
}

}  // namespace layernet
