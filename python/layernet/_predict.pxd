# cython: language_level=3
"""Calls a `layernet.Predictor` from Cython, without the GIL: `from layernet cimport _predict`.

Compile with the folder that `python -m layernet --include-dir` prints; there is nothing to link with. A handle is opaque, and
stays valid while the Predictor object lives or until `release` undoes a `retain`. Functions that can fail return 0 or a
layernet_status of c_api.h, and `last_error` says what it was.
"""
from libc.stdint cimport int32_t, int64_t

cdef extern from "layernet/c_api.h" nogil:
    ctypedef struct layernet_predictor:
        pass
    ctypedef struct layernet_workspace:
        pass
    ctypedef struct layernet_port:
        const char* name
        const int64_t* shape
        int32_t rank
        int32_t dtype
        int32_t item_size
    int64_t layernet_dim_at(int64_t dim, int64_t n)

# The handle of a Predictor, borrowed from it; TypeError for anything else.
cdef layernet_predictor* handle(object predictor) except NULL
cdef void retain(layernet_predictor* predictor) noexcept nogil
cdef void release(layernet_predictor* predictor) noexcept nogil
cdef size_t input_count(const layernet_predictor* predictor) noexcept nogil
cdef size_t output_count(const layernet_predictor* predictor) noexcept nogil
cdef int input_port(const layernet_predictor* predictor, size_t index, layernet_port* out) noexcept nogil
cdef int output_port(const layernet_predictor* predictor, size_t index, layernet_port* out) noexcept nogil
# One pointer for each port, to contiguous rows of its type; `n` is the batch.
cdef int run(const layernet_predictor* predictor, int64_t n, const void* const* inputs, void* const* outputs) noexcept nogil
cdef int workspace_new(const layernet_predictor* predictor, layernet_workspace** out) noexcept nogil
cdef void workspace_free(layernet_workspace* workspace) noexcept nogil
cdef int run_with(layernet_workspace* workspace, int64_t n, const void* const* inputs, void* const* outputs) noexcept nogil
cdef const char* last_error() noexcept nogil
