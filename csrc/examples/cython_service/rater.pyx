# cython: language_level=3
"""Rates rows by a layernet.Predictor, row by row, without the GIL."""
from libc.stdint cimport int64_t

from layernet cimport _predict


def rate(predictor, const float[:, ::1] x, float[:, ::1] y):
    """Writes the network's outputs for the rows of x to y, one call for each row."""
    cdef _predict.layernet_predictor* handle = _predict.handle(predictor)
    cdef _predict.layernet_port port
    cdef const void* source
    cdef void* target
    cdef Py_ssize_t i
    cdef int status = 0
    if _predict.input_port(handle, 0, &port) != 0 or port.rank != 2 or port.shape[1] != x.shape[1]:
        raise ValueError("rate: expected rows that fit the network.")
    if _predict.output_port(handle, 0, &port) != 0 or port.shape[1] != y.shape[1] or x.shape[0] != y.shape[0]:
        raise ValueError("rate: expected a place for every output.")
    with nogil:
        for i in range(x.shape[0]):
            source = &x[i, 0]
            target = &y[i, 0]
            status = _predict.run(handle, 1, &source, &target)
            if status != 0:
                break
    if status != 0:
        raise RuntimeError(_predict.last_error().decode())
