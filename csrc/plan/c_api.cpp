// The C interface: handles, error codes, and no exception beyond this file.
#include "layernet/c_api.h"

#include <atomic>
#include <cstdio>
#include <limits>
#include <new>

#include "core/error.h"
#include "layernet/info.h"
#include "layernet/predictor_file.h"
#include "layernet/version.h"
#include "plan/handle.h"

using layernet::Plan;

namespace {

struct Port {
  std::string name;
  std::vector<std::int64_t> shape;
  layernet::DType dtype;
};

}  // namespace

struct layernet_predictor {
  std::atomic<int> refs{1};
  std::shared_ptr<const Plan> plan;
  std::vector<Port> inputs, outputs;
  std::int64_t most_rows = 0;  // a larger batch would overflow the size of a port
};

struct layernet_workspace {
  layernet_predictor* predictor;
  std::unique_ptr<layernet::Workspace> memory;
};

namespace {

// A buffer, not a string: reporting an error must not need memory.
thread_local char last_error[1024] = "";

layernet_status report(layernet_status status, const char* message) noexcept {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return status;
}

template <class Body>
layernet_status guarded(Body&& body) noexcept {
  try {
    return body();
  } catch (const layernet::Error& e) {
    return report(static_cast<layernet_status>(e.code()), e.what());
  } catch (const std::bad_alloc&) {
    return report(LAYERNET_OUT_OF_MEMORY, "layernet: out of memory.");
  } catch (const std::exception& e) {
    return report(LAYERNET_INTERNAL, e.what());
  } catch (...) {
    return report(LAYERNET_INTERNAL, "layernet: an unknown exception.");
  }
}

std::int64_t bytes_at(const Port& port, std::int64_t n) noexcept {
  std::int64_t bytes = static_cast<std::int64_t>(layernet::item_size(port.dtype));
  bool empty = false;
  for (const std::int64_t d : port.shape) empty = empty || d == 0 || (d < 0 && n == 0);
  if (empty) return 0;
  for (const std::int64_t d : port.shape) {
    if (__builtin_mul_overflow(bytes, d < 0 ? -d : d, &bytes)) return -1;
    if (d < 0 && __builtin_mul_overflow(bytes, n, &bytes)) return -1;
  }
  return bytes;
}

std::vector<Port> ports_of(const std::vector<layernet::PlanPort>& from, const char* fallback,
                           const std::vector<std::string>& names) {
  std::vector<Port> ports;
  for (std::size_t i = 0; i < from.size(); ++i) {
    Port port;
    port.name = i < names.size() ? names[i] : from[i].name;
    if (port.name.empty()) port.name = from.size() == 1 ? fallback : fallback + ("_" + std::to_string(i));
    for (const layernet::Dim d : from[i].spec.shape) port.shape.push_back(d.code());
    port.dtype = from[i].spec.dtype;
    ports.push_back(std::move(port));
  }
  return ports;
}

layernet_status fill(const std::vector<Port>& ports, std::size_t index, const char* which,
                     layernet_port* out) noexcept {
  if (out == nullptr) return report(LAYERNET_INVALID_ARGUMENT, "port: expected a place for the result, got NULL.");
  if (index >= ports.size()) {
    char message[96];
    std::snprintf(message, sizeof message, "port: expected one of %zu %ss, got index %zu.", ports.size(), which, index);
    return report(LAYERNET_INVALID_ARGUMENT, message);
  }
  const Port& p = ports[index];
  *out = layernet_port{p.name.c_str(),
                       p.shape.data(),
                       static_cast<std::int32_t>(p.shape.size()),
                       static_cast<std::int32_t>(p.dtype),
                       static_cast<std::int32_t>(layernet::item_size(p.dtype)),
                       0};
  return LAYERNET_OK;
}

layernet_status bad_batch(const layernet_predictor& p, std::int64_t n) noexcept {
  char message[120];
  std::snprintf(message, sizeof message, "run: expected a batch from 0 to %lld, got %lld.",
                static_cast<long long>(p.most_rows), static_cast<long long>(n));
  return report(LAYERNET_SHAPE, message);
}

layernet_status load_file(const layernet::PredictorFile& file, layernet_predictor** out) {
  *out = layernet::new_handle(layernet::load_plan(file), file.output_names());
  return LAYERNET_OK;
}

}  // namespace

layernet_predictor* layernet::new_handle(std::shared_ptr<const Plan> plan,
                                         const std::vector<std::string>& output_names) {
  auto handle = std::make_unique<layernet_predictor>();
  handle->inputs = ports_of(plan->inputs(), "input", {});
  handle->outputs = ports_of(plan->outputs(), "output", output_names);
  // 2^40 rows are more than any memory holds, and leave room for what the plan keeps for each.
  handle->most_rows = std::int64_t{1} << 40;
  for (const std::vector<Port>* ports : {&handle->inputs, &handle->outputs})
    for (const Port& port : *ports)
      while (handle->most_rows > 0 && bytes_at(port, handle->most_rows) < 0) handle->most_rows /= 2;
  handle->plan = std::move(plan);
  return handle.release();
}

extern "C" {

int layernet_abi_version(void) {
  return LAYERNET_ABI_VERSION;
}
const char* layernet_version(void) {
  return LAYERNET_VERSION;
}
const char* layernet_last_error(void) {
  return last_error;
}

layernet_status layernet_load(const char* path, layernet_predictor** out) {
  if (out == nullptr) return report(LAYERNET_INVALID_ARGUMENT, "load: expected a place for the predictor, got NULL.");
  *out = nullptr;
  if (path == nullptr) return report(LAYERNET_INVALID_ARGUMENT, "load: expected a path, got NULL.");
  return guarded([&] { return load_file(layernet::PredictorFile::open(path), out); });
}

layernet_status layernet_load_bytes(const void* data, size_t size, layernet_predictor** out) {
  if (out == nullptr) return report(LAYERNET_INVALID_ARGUMENT, "load: expected a place for the predictor, got NULL.");
  *out = nullptr;
  if (data == nullptr) return report(LAYERNET_INVALID_ARGUMENT, "load: expected bytes, got NULL.");
  return guarded([&] { return load_file(layernet::PredictorFile::parse(data, size), out); });
}

void layernet_retain(layernet_predictor* p) {
  p->refs.fetch_add(1, std::memory_order_relaxed);
}
void layernet_release(layernet_predictor* p) {
  if (p != nullptr && p->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete p;
}

size_t layernet_input_count(const layernet_predictor* p) {
  return p->inputs.size();
}
size_t layernet_output_count(const layernet_predictor* p) {
  return p->outputs.size();
}
layernet_status layernet_input(const layernet_predictor* p, size_t i, layernet_port* out) {
  return fill(p->inputs, i, "input", out);
}
layernet_status layernet_output(const layernet_predictor* p, size_t i, layernet_port* out) {
  return fill(p->outputs, i, "output", out);
}
int64_t layernet_input_bytes(const layernet_predictor* p, size_t i, int64_t n) {
  return i < p->inputs.size() && n >= 0 ? bytes_at(p->inputs[i], n) : -1;
}
int64_t layernet_output_bytes(const layernet_predictor* p, size_t i, int64_t n) {
  return i < p->outputs.size() && n >= 0 ? bytes_at(p->outputs[i], n) : -1;
}

layernet_status layernet_run(const layernet_predictor* p, int64_t n, const void* const* inputs, void* const* outputs) {
  if (n < 0 || n > p->most_rows) return bad_batch(*p, n);
  return guarded([&] {
    const layernet::WorkspaceLease lease(*p->plan, n);
    p->plan->run(n, inputs, outputs, *lease);
    return LAYERNET_OK;
  });
}

layernet_status layernet_run_threads(const layernet_predictor* p, int threads, int64_t n, const void* const* inputs,
                                     void* const* outputs) {
  if (n < 0 || n > p->most_rows) return bad_batch(*p, n);
  return guarded([&] {
    p->plan->run_threads(threads, n, inputs, outputs);
    return LAYERNET_OK;
  });
}

layernet_status layernet_workspace_new(const layernet_predictor* p, layernet_workspace** out) {
  if (out == nullptr) return report(LAYERNET_INVALID_ARGUMENT, "workspace: expected a place for the result, got NULL.");
  *out = nullptr;
  return guarded([&] {
    auto* shared = const_cast<layernet_predictor*>(p);
    *out = new layernet_workspace{shared, p->plan->make_workspace()};
    layernet_retain(shared);
    return LAYERNET_OK;
  });
}

void layernet_workspace_free(layernet_workspace* w) {
  if (w == nullptr) return;
  layernet_predictor* p = w->predictor;
  delete w;
  layernet_release(p);
}

layernet_status layernet_run_with(layernet_workspace* w, int64_t n, const void* const* inputs, void* const* outputs) {
  const layernet_predictor& p = *w->predictor;
  if (n < 0 || n > p.most_rows) return bad_batch(p, n);
  return guarded([&] {
    p.plan->prepare_for(n, *w->memory);
    p.plan->run(n, inputs, outputs, *w->memory);
    return LAYERNET_OK;
  });
}

int layernet_get_num_threads(void) {
  return layernet::get_num_threads();
}

layernet_status layernet_set_num_threads(int threads) {
  return guarded([&] {
    layernet::set_num_threads(threads);
    return LAYERNET_OK;
  });
}

const layernet_api* layernet_get_api(int abi_version) {
  static const layernet_api api = {
      LAYERNET_ABI_VERSION,    static_cast<std::int32_t>(sizeof(layernet_api)),
      layernet_last_error,     layernet_load,
      layernet_load_bytes,     layernet_retain,
      layernet_release,        layernet_input_count,
      layernet_output_count,   layernet_input,
      layernet_output,         layernet_input_bytes,
      layernet_output_bytes,   layernet_run,
      layernet_run_threads,    layernet_workspace_new,
      layernet_workspace_free, layernet_run_with,
  };
  return abi_version == LAYERNET_ABI_VERSION ? &api : nullptr;
}

}  // extern "C"
