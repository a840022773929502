/* C interface: load a predictor file and run it. C99; the C++ wrapper (predictor.h) and other languages stand on it.
 *
 * Threads: a predictor may be used by any number of threads at once; a workspace by one at a time. Errors: a function
 * that can fail returns a layernet_status, and layernet_last_error() has the sentence for this thread. Nothing throws,
 * prints or aborts. Within one LAYERNET_ABI_VERSION functions and table entries are only added, at the end; none
 * changes. */
#ifndef LAYERNET_C_API_H
#define LAYERNET_C_API_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define LAYERNET_C_API __declspec(dllexport)
#else
#define LAYERNET_C_API __attribute__((visibility("default")))
#endif

#define LAYERNET_ABI_VERSION 1

#ifdef __cplusplus
extern "C" {
#endif

typedef struct layernet_predictor layernet_predictor; /* counted: retain and release */
typedef struct layernet_workspace layernet_workspace; /* the memory of one call at a time */

typedef enum layernet_status {
  LAYERNET_OK = 0,
  LAYERNET_INVALID_ARGUMENT = 1,
  LAYERNET_SHAPE = 2,
  LAYERNET_DTYPE = 3,
  LAYERNET_GRAPH = 4,
  LAYERNET_FORMAT = 5,
  LAYERNET_NOT_FOUND = 6,
  LAYERNET_FAILED_PRECONDITION = 7,
  LAYERNET_IO = 8,
  LAYERNET_OUT_OF_MEMORY = 9,
  LAYERNET_INTERNAL = 10
} layernet_status;

typedef enum layernet_dtype {
  LAYERNET_FLOAT32 = 0,
  LAYERNET_FLOAT64 = 1,
  LAYERNET_FLOAT16 = 2,
  LAYERNET_BFLOAT16 = 3,
  LAYERNET_INT8 = 4,
  LAYERNET_UINT8 = 5,
  LAYERNET_INT32 = 6,
  LAYERNET_INT64 = 7,
  LAYERNET_BOOL = 8 /* bytes 0 or 1 */
} layernet_dtype;

/* An input or output. A dimension d >= 0 is a size; d < 0 stands for -d * n, where n is the batch given to a run.
 * `name` and `shape` live as long as the predictor. */
typedef struct layernet_port {
  const char* name;
  const int64_t* shape;
  int32_t rank;
  int32_t dtype;
  int32_t item_size;
  int32_t reserved;
} layernet_port;

/* The size that a dimension of a port has for batch n. */
static inline int64_t layernet_dim_at(int64_t dim, int64_t n) {
  return dim >= 0 ? dim : -dim * n;
}

/* ABI version and release ("major.minor.patch") of the library at run time. */
LAYERNET_C_API int layernet_abi_version(void);
LAYERNET_C_API const char* layernet_version(void);
/* What went wrong last on this thread; "" when nothing did. Valid until the next failure on this thread. */
LAYERNET_C_API const char* layernet_last_error(void);

/* Both set *out to a new predictor, to be released, or to NULL when they fail. The bytes are not needed afterwards. */
LAYERNET_C_API layernet_status layernet_load(const char* path, layernet_predictor** out);
LAYERNET_C_API layernet_status layernet_load_bytes(const void* data, size_t size, layernet_predictor** out);
LAYERNET_C_API void layernet_retain(layernet_predictor* predictor);
LAYERNET_C_API void layernet_release(layernet_predictor* predictor); /* NULL is fine */

LAYERNET_C_API size_t layernet_input_count(const layernet_predictor* predictor);
LAYERNET_C_API size_t layernet_output_count(const layernet_predictor* predictor);
LAYERNET_C_API layernet_status layernet_input(const layernet_predictor* predictor, size_t index, layernet_port* out);
LAYERNET_C_API layernet_status layernet_output(const layernet_predictor* predictor, size_t index, layernet_port* out);
/* Bytes that port `index` of the inputs or outputs takes for batch n; -1 when there is no such port or the size
 * overflows. */
LAYERNET_C_API int64_t layernet_input_bytes(const layernet_predictor* predictor, size_t index, int64_t n);
LAYERNET_C_API int64_t layernet_output_bytes(const layernet_predictor* predictor, size_t index, int64_t n);

/* Runs with batch n >= 0. `inputs` and `outputs` are one pointer for each port, to contiguous rows in the port's type,
 * aligned to its item size; outputs may not overlap inputs. layernet_run borrows a spare workspace of the predictor:
 * nothing is allocated once as many exist as there are calls at the same time. With a workspace of the caller's own
 * there is nothing to borrow. */
LAYERNET_C_API layernet_status layernet_run(const layernet_predictor* predictor, int64_t n, const void* const* inputs,
                                            void* const* outputs);
/* The same by up to `threads` threads of the library's own pool, where the work is worth it; the bits are the same. */
LAYERNET_C_API layernet_status layernet_run_threads(const layernet_predictor* predictor, int threads, int64_t n,
                                                    const void* const* inputs, void* const* outputs);
LAYERNET_C_API layernet_status layernet_workspace_new(const layernet_predictor* predictor, layernet_workspace** out);
LAYERNET_C_API void layernet_workspace_free(
    layernet_workspace* workspace); /* NULL is fine; before or after the predictor */
LAYERNET_C_API layernet_status layernet_run_with(layernet_workspace* workspace, int64_t n, const void* const* inputs,
                                                 void* const* outputs);

/* The most threads that the library's pool uses for one call, from 1 to the CPUs that the process may use; at first
 * LAYERNET_NUM_THREADS or all of them. The names are those that threadpoolctl's controller of layernet calls. */
LAYERNET_C_API int layernet_get_num_threads(void);
LAYERNET_C_API layernet_status layernet_set_num_threads(int threads);

/* The functions as a table. Extension modules of Python get it from the capsule layernet._predict.C_API (python.h) and
 * so need these headers, but nothing to link with. */
typedef struct layernet_api {
  int32_t abi_version;
  int32_t size; /* sizeof the table: entries beyond it do not exist in this library */
  const char* (*last_error)(void);
  layernet_status (*load)(const char*, layernet_predictor**);
  layernet_status (*load_bytes)(const void*, size_t, layernet_predictor**);
  void (*retain)(layernet_predictor*);
  void (*release)(layernet_predictor*);
  size_t (*input_count)(const layernet_predictor*);
  size_t (*output_count)(const layernet_predictor*);
  layernet_status (*input)(const layernet_predictor*, size_t, layernet_port*);
  layernet_status (*output)(const layernet_predictor*, size_t, layernet_port*);
  int64_t (*input_bytes)(const layernet_predictor*, size_t, int64_t);
  int64_t (*output_bytes)(const layernet_predictor*, size_t, int64_t);
  layernet_status (*run)(const layernet_predictor*, int64_t, const void* const*, void* const*);
  layernet_status (*run_threads)(const layernet_predictor*, int, int64_t, const void* const*, void* const*);
  layernet_status (*workspace_new)(const layernet_predictor*, layernet_workspace**);
  void (*workspace_free)(layernet_workspace*);
  layernet_status (*run_with)(layernet_workspace*, int64_t, const void* const*, void* const*);
} layernet_api;

/* NULL when the library is of another ABI version. */
LAYERNET_C_API const layernet_api* layernet_get_api(int abi_version);

#ifdef __cplusplus
}
#endif

#endif
