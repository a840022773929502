# cython: language_level=3, boundscheck=False, wraparound=False, embedsignature=True
"""The hot call path of a predictor: checks with NumPy's C API, then one C++ call.

No Python object is touched between the check of the input and the return of the output, and nothing but the output is
allocated once a workspace exists.
"""
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport int64_t, uint8_t
from libcpp cimport bool as cbool
from libcpp.memory cimport shared_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector
cimport cython
cimport numpy as cnp

cnp.import_array()

cdef extern from "layernet/dtype.h" namespace "layernet" nogil:
    cdef enum class DType(uint8_t):
        float32
        float64
        float16
        bfloat16
        int8
        uint8
        int32
        int64
        bool_
    const char* name_of(DType t)
    size_t item_size(DType t)

cdef extern from "layernet/shape.h" namespace "layernet" nogil:
    cdef cppclass Dim:
        Dim()
        Dim(int64_t)
        cbool is_fixed()
        int64_t value()
        int64_t batch_multiple()
        int64_t at(int64_t)
    cdef cppclass Shape:
        size_t size()
        Dim& operator[](size_t)
        void push_back(Dim)
    cdef cppclass Spec:
        DType dtype
        Shape shape
    string to_string(const Shape&)

cdef extern from "layernet/plan.h" namespace "layernet" nogil:
    cdef cppclass PlanPort:
        Spec spec
        string name
    cdef cppclass Workspace:
        pass
    cdef cppclass Plan:
        const vector[PlanPort]& inputs()
        const vector[PlanPort]& outputs()
        double work(int64_t)
        cbool last_axis_only()
        cbool updates()
        Workspace* take_workspace() except +
        void give_workspace(Workspace*)

cdef extern from *:
    """
    #include "layernet/plan.h"
    namespace {
    // Runs in the workspace; a step, and threads, take their own.
    inline void run_plan(const layernet::Plan& plan, layernet::Workspace* workspace, int threads, int64_t n,
                         const void* const* in, void* const* out) {
      if (plan.updates()) return plan.update(threads, n, in, out);
      if (threads > 1) return plan.run_threads(threads, n, in, out);
      plan.prepare_for(n, *workspace);
      plan.run(n, in, out, *workspace);
    }
    }
    """
    void run_plan(const Plan&, Workspace*, int, int64_t, const void* const*, void* const*) except + nogil

cdef extern from *:
    """
    #include <numpy/arrayobject.h>
    namespace {
    // Whether the one reference of the caller's is all that is left of an array: nobody holds it, a view of it, its memory
    // or a weak reference, and nobody has changed what it is. To anyone else it is as good as new.
    inline bool is_forgotten(PyObject* object, int type, int rank, const npy_intp* dims) {
      if (Py_REFCNT(object) != 1) return false;
      const auto* a = reinterpret_cast<const PyArrayObject_fields*>(object);
      constexpr int whole = NPY_ARRAY_CARRAY | NPY_ARRAY_OWNDATA;
      PyArray_Descr* const dtype = PyArray_DescrFromType(type);
      Py_DECREF(dtype);  // NumPy keeps its own
      if (a->weakreflist != nullptr || (a->flags & whole) != whole || a->descr != dtype || a->nd != rank) return false;
      for (int d = 0; d < rank; ++d)
        if (a->dimensions[d] != dims[d]) return false;
      return true;
    }
    }
    """
    cbool is_forgotten(PyObject*, int, int, const cnp.npy_intp*)

# NumPy's type number of each DType (bfloat16 has none).
cdef int[9] TYPE_NUMBERS = [cnp.NPY_FLOAT32, cnp.NPY_FLOAT64, cnp.NPY_FLOAT16, -1, cnp.NPY_INT8, cnp.NPY_UINT8,
                            cnp.NPY_INT32, cnp.NPY_INT64, cnp.NPY_BOOL]
cdef enum:
    MAX_RANK = 12
    MAX_PORTS = 16
    REUSED_BYTES = 4096  # results up to this size are used again; making a larger one is little beside its computation

# Estimated operations from which on the GIL is given up: about 10 us of one core, against 0.1 us for giving it up and, when
# other threads compete for it, up to a switch interval for taking it back.
cdef double RELEASE_WORK = 3e5
cdef enum:
    GIL_AUTO = 0
    GIL_RELEASE = 1
    GIL_KEEP = 2


cdef struct Port:
    # What is looked at in every call, where it can be read at once. A dimension is `size` or `multiple` times the batch.
    int type  # NumPy's type number
    int64_t item  # bytes
    int rank
    int64_t size[MAX_RANK]
    int64_t multiple[MAX_RANK]  # 0: of a fixed size

cdef int64_t bytes_of(const Port& p, int64_t n) noexcept:
    cdef int64_t bytes = p.item
    cdef int d
    for d in range(p.rank):
        bytes *= p.size[d] + p.multiple[d] * n
    return bytes

cdef Port port_of(const Spec& spec) noexcept:
    cdef Port p
    cdef Dim dim
    cdef int d
    p.type = TYPE_NUMBERS[<int>spec.dtype]
    p.item = item_size(spec.dtype)
    p.rank = <int>(<Spec*>&spec).shape.size()
    for d in range(p.rank):
        dim = (<Spec*>&spec).shape[d]
        p.size[d] = dim.value() if dim.is_fixed() else 0
        p.multiple[d] = 0 if dim.is_fixed() else dim.batch_multiple()
    return p


cdef class PlanCaller:
    """Calls a plan on NumPy arrays. ``Predictor`` derives from it."""
    cdef object _capsule
    cdef shared_ptr[const Plan]* _plan
    cdef vector[Port] _ins, _outs
    cdef cbool _single
    cdef int _threads, _gil
    cdef cnp.ndarray _last, _other  # small results, None at first
    cdef cbool _needs_workspace
    cdef Workspace* _workspace  # for one call at a time; another call beside it takes one of the plan's
    cdef int _more_axes_from  # rank from which on inputs have more leading axes than the port says and may have them
    cdef str _who
    cdef readonly tuple input_dtypes
    cdef readonly tuple output_dtypes

    def __cinit__(self, capsule, int threads=1, release_gil="auto", who="predict"):
        self._capsule = capsule
        self._who = who
        self._threads = threads
        self._gil = GIL_AUTO if release_gil == "auto" else GIL_RELEASE if release_gil else GIL_KEEP
        self._plan = <shared_ptr[const Plan]*>PyCapsule_GetPointer(capsule, b"layernet.Plan")
        cdef const Plan* plan = self._plan.get()
        cdef size_t i
        self._needs_workspace = threads <= 1 and not plan.updates()
        if plan.inputs().size() > MAX_PORTS or plan.outputs().size() > MAX_PORTS:
            raise ValueError("predict: expected at most %d inputs and outputs, got %d and %d."
                             % (MAX_PORTS, plan.inputs().size(), plan.outputs().size()))
        for i in range(plan.inputs().size()):
            self._ins.push_back(port_of(plan.inputs()[i].spec))
        for i in range(plan.outputs().size()):
            self._outs.push_back(port_of(plan.outputs()[i].spec))
        self.input_dtypes = tuple([name_of(plan.inputs()[i].spec.dtype).decode() for i in range(self._ins.size())])
        self.output_dtypes = tuple([name_of(plan.outputs()[i].spec.dtype).decode() for i in range(self._outs.size())])
        self._single = (self._ins.size() == 1 and self._outs.size() == 1
                        and self._ins[0].type >= 0 and self._outs[0].type >= 0)
        self._more_axes_from = MAX_RANK + 1
        if self._ins.size() > 0 and plan.last_axis_only():
            self._more_axes_from = self._ins[0].rank + 1

    def __dealloc__(self):
        del self._workspace

    @cython.final
    cdef int _run(self, int64_t n, const void* const* sources, void* const* targets) except -1:
        cdef Plan* plan = <Plan*>self._plan.get()
        cdef Workspace* workspace = self._workspace
        self._workspace = NULL
        if workspace == NULL and self._needs_workspace:
            workspace = plan.take_workspace()
        try:
            if self._gil == GIL_RELEASE or (self._gil == GIL_AUTO and plan.work(n) >= RELEASE_WORK):
                with nogil:
                    run_plan(plan[0], workspace, self._threads, n, sources, targets)
            else:
                run_plan(plan[0], workspace, self._threads, n, sources, targets)
        finally:
            if self._workspace == NULL:
                self._workspace = workspace
            elif workspace != NULL:
                plan.give_workspace(workspace)
        return 0

    @cython.final
    cdef int64_t _rows(self, size_t port, cnp.ndarray x, int64_t n) noexcept:
        """The batch that x's shape gives to the port, -2 where it does not fit; n is what earlier inputs gave, or -1."""
        cdef const Port* want = &self._ins[port]
        cdef int d
        cdef int64_t size, multiple
        if cnp.PyArray_NDIM(x) != want.rank:
            return -2
        for d in range(want.rank):
            size = cnp.PyArray_DIM(x, d)
            multiple = want.multiple[d]
            if multiple == 0:
                if size != want.size[d]:
                    return -2
            elif multiple == 1 and n < 0:
                n = size
            else:
                if size % multiple != 0 or (n >= 0 and n != size // multiple):
                    return -2
                n = size // multiple
        return n

    @cython.final
    cdef int64_t _fit(self, size_t port, cnp.ndarray x, int64_t n) except -2:
        """The same, with an error where it does not fit."""
        n = self._rows(port, x, n)
        if n == -2:
            from layernet.errors import ShapeError
            raise ShapeError("%s: expected an input of shape %s (input %d), got %s."
                             % (self._who, to_string(self._plan.get().inputs()[port].spec.shape).decode(), port,
                                list((<object>x).shape)))
        return n

    @cython.final
    cdef cbool _ready(self, size_t port, object x) noexcept:
        """Whether x is a native, aligned, C-contiguous array of the port's type."""
        return (cnp.PyArray_Check(x)
                and cnp.PyArray_TYPE(<cnp.ndarray>x) == self._ins[port].type
                and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>x))

    @cython.final
    cdef cnp.ndarray _output(self, size_t port, int64_t n, object out):
        """A fresh array for the port, or `out` after a check."""
        cdef const Port* want = &self._outs[port]
        cdef cnp.npy_intp dims[MAX_RANK]
        cdef int rank = want.rank, d
        for d in range(rank):
            dims[d] = want.size[d] + want.multiple[d] * n
        cdef cnp.ndarray y
        if out is None:
            # Making and freeing an array takes 55 ns, a third of the call of a tiny network: a small result that the
            # caller has let go of is written again. Two are remembered: `y = predict(x)` lets go of one when it has the
            # next.
            if is_forgotten(<PyObject*>self._last, want.type, rank, dims):
                return self._last
            if is_forgotten(<PyObject*>self._other, want.type, rank, dims):
                return self._other
            y = cnp.PyArray_EMPTY(rank, dims, want.type, 0)
            if cnp.PyArray_NBYTES(y) <= REUSED_BYTES:
                self._other = self._last
                self._last = y
            return y
        cdef cbool good = cnp.PyArray_Check(out)
        if good:
            y = <cnp.ndarray>out
            good = (cnp.PyArray_TYPE(y) == want.type and cnp.PyArray_ISCARRAY(y) and cnp.PyArray_NDIM(y) == rank)
            if good:
                for d in range(rank):
                    good = good and cnp.PyArray_DIM(y, d) == dims[d]
        if not good:
            from layernet.errors import ShapeError
            raise ShapeError("predict: expected out to be a writable C-contiguous array of shape %s and dtype %s, got %s."
                             % ([dims[d] for d in range(rank)], self.output_dtypes[port],
                                "%s %s" % (getattr(out, "dtype", type(out).__name__), getattr(out, "shape", ""))))
        return y

    @cython.final
    cdef cnp.ndarray _input(self, size_t port, object x):
        """x as a native, aligned, C-contiguous array of the port's type; copies only when it has to."""
        if self._ready(port, x):
            return <cnp.ndarray>x
        from layernet.compiling import as_input
        return as_input(x, self.input_dtypes[port], self._who)

    def predict(self, x, out=None):
        """Runs the network on `x`.

        Args:
            x: array of the input's shape (any batch size); other dtypes of numbers, layouts and lists are converted.
                Where every op acts on the last axis only, more leading axes than the network was traced with are rows.
            out: array to write to, of the output's shape and dtype, C-contiguous; a new one by default.

        Returns:
            The output array (`out` when given). Of results up to 4 KB the last two are remembered and written again
            once nothing else refers to them or to their memory (to `resize` one in place, say `refcheck=False`).

        Raises:
            ShapeError: x or out does not fit.
            DTypeError: x is not made of real numbers.
        """
        cdef cnp.ndarray a, y
        cdef void* source
        cdef void* target
        cdef int64_t n
        if not self._single:
            return self.predict_structure(x, out)
        a = self._input(0, x)
        if cnp.PyArray_NDIM(a) >= self._more_axes_from:
            return self.predict_more_axes([a], None if out is None else [out])[0]
        n = self._fit(0, a, -1)
        if n < 0:
            n = 1
        y = self._output(0, n, out)
        source = cnp.PyArray_DATA(a)
        target = cnp.PyArray_DATA(y)
        if out is not None and _overlap(source, bytes_of(self._ins[0], n), target, bytes_of(self._outs[0], n)):
            raise ValueError("predict: expected out to lie apart from the input, got overlapping memory.")
        self._run(n, <const void* const*>&source, <void* const*>&target)
        return y

    def run_list(self, list xs, outs=None):
        """The general form: a list of arrays in, a list of arrays out."""
        cdef void* sources[MAX_PORTS]
        cdef void* targets[MAX_PORTS]
        cdef size_t i
        cdef int64_t n = -1
        cdef list arrays = []
        cdef list results = []
        cdef const Plan* plan = self._plan.get()
        if <size_t>len(xs) != plan.inputs().size():
            raise ValueError("predict: expected %d inputs, got %d." % (plan.inputs().size(), len(xs)))
        if outs is not None and <size_t>len(outs) != plan.outputs().size():
            raise ValueError("predict: expected %d arrays in out, got %d." % (plan.outputs().size(), len(outs)))
        for i in range(plan.inputs().size()):
            a = self._input(i, xs[i])
            n = self._fit(i, a, n)
            arrays.append(a)
            sources[i] = cnp.PyArray_DATA(<cnp.ndarray>a)
        if n < 0:
            n = 1
        for i in range(plan.outputs().size()):
            y = self._output(i, n, None if outs is None else outs[i])
            if outs is not None:
                for a in arrays:
                    if _overlap(cnp.PyArray_DATA(<cnp.ndarray>a), cnp.PyArray_NBYTES(<cnp.ndarray>a),
                                cnp.PyArray_DATA(<cnp.ndarray>y), cnp.PyArray_NBYTES(<cnp.ndarray>y)):
                        raise ValueError("predict: expected out to lie apart from the inputs, got overlapping memory.")
            results.append(y)
            targets[i] = cnp.PyArray_DATA(<cnp.ndarray>y)
        self._run(n, <const void* const*>sources, <void* const*>targets)
        return results

    def run_ready(self, x, y, double number):
        """The plan on two arrays and a number, its inputs, if that needs no conversion and no look at anything else.

        Returns:
            The outputs; None when the plan has other inputs, when an array is not of the type, layout and shape that it
            takes, or when there are no rows.
        """
        cdef const Plan* plan = self._plan.get()
        cdef const void* sources[3]
        cdef void* targets[MAX_PORTS]
        cdef size_t i
        cdef int64_t n
        cdef list results = []
        if plan.inputs().size() != 3 or not (self._ready(0, x) and self._ready(1, y)):
            return None
        n = self._rows(0, <cnp.ndarray>x, -1)
        if n <= 0 or self._rows(1, <cnp.ndarray>y, n) != n:
            return None
        for i in range(plan.outputs().size()):
            result = self._output(i, n, None)
            results.append(result)
            targets[i] = cnp.PyArray_DATA(<cnp.ndarray>result)
        sources[0] = cnp.PyArray_DATA(<cnp.ndarray>x)
        sources[1] = cnp.PyArray_DATA(<cnp.ndarray>y)
        sources[2] = &number
        self._run(n, sources, targets)
        return results


# ---- for other extension modules: _predict.pxd declares these, C_API is what python.h imports ----

cdef extern from "layernet/c_api.h" nogil:
    ctypedef struct layernet_api:
        pass
    enum:
        LAYERNET_ABI_VERSION
    const layernet_api* layernet_get_api(int)
    const char* layernet_last_error()
    void layernet_retain(layernet_predictor*)
    void layernet_release(layernet_predictor*)
    size_t layernet_input_count(const layernet_predictor*)
    size_t layernet_output_count(const layernet_predictor*)
    int layernet_input(const layernet_predictor*, size_t, layernet_port*)
    int layernet_output(const layernet_predictor*, size_t, layernet_port*)
    int layernet_run(const layernet_predictor*, int64_t, const void* const*, void* const*)
    int layernet_workspace_new(const layernet_predictor*, layernet_workspace**)
    void layernet_workspace_free(layernet_workspace*)
    int layernet_run_with(layernet_workspace*, int64_t, const void* const*, void* const*)

C_API = PyCapsule_New(<void*>layernet_get_api(LAYERNET_ABI_VERSION), b"layernet.c_api", NULL)

cdef layernet_predictor* handle(object predictor) except NULL:
    if not isinstance(predictor, PlanCaller):
        raise TypeError("expected a layernet.Predictor, got %s." % type(predictor).__name__)
    return <layernet_predictor*>PyCapsule_GetPointer(predictor.handle, b"layernet.predictor")

cdef void retain(layernet_predictor* predictor) noexcept nogil:
    layernet_retain(predictor)

cdef void release(layernet_predictor* predictor) noexcept nogil:
    layernet_release(predictor)

cdef size_t input_count(const layernet_predictor* predictor) noexcept nogil:
    return layernet_input_count(predictor)

cdef size_t output_count(const layernet_predictor* predictor) noexcept nogil:
    return layernet_output_count(predictor)

cdef int input_port(const layernet_predictor* predictor, size_t index, layernet_port* out) noexcept nogil:
    return layernet_input(predictor, index, out)

cdef int output_port(const layernet_predictor* predictor, size_t index, layernet_port* out) noexcept nogil:
    return layernet_output(predictor, index, out)

cdef int run(const layernet_predictor* predictor, int64_t n, const void* const* inputs, void* const* outputs) noexcept nogil:
    return layernet_run(predictor, n, inputs, outputs)

cdef int workspace_new(const layernet_predictor* predictor, layernet_workspace** out) noexcept nogil:
    return layernet_workspace_new(predictor, out)

cdef void workspace_free(layernet_workspace* workspace) noexcept nogil:
    layernet_workspace_free(workspace)

cdef int run_with(layernet_workspace* workspace, int64_t n, const void* const* inputs, void* const* outputs) noexcept nogil:
    return layernet_run_with(workspace, n, inputs, outputs)

cdef const char* last_error() noexcept nogil:
    return layernet_last_error()


cdef cbool _overlap(const void* a, int64_t a_bytes, const void* b, int64_t b_bytes) noexcept:
    return <const char*>a < <const char*>b + b_bytes and <const char*>b < <const char*>a + a_bytes
