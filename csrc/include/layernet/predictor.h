// layernet::Predictor: load a predictor file and run it, from C++. Header only, on top of the C interface: no type of
// the standard library crosses the boundary, and exceptions are thrown by the program's own code, so any C++ compiler
// and version will do.
//
//   const auto net = layernet::Predictor::load("net.safetensors");
//   net.run(x, rows, y);                       // float32, one input, one output
//   net.run(n, {a, b}, {y, z});                // the general form
//
// A Predictor is a counted reference: copies share the network, and any number of threads may call it at once. A
// Workspace is the memory of one thread's calls, for callers that want to own it; without one a spare one is borrowed
// for the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "layernet/c_api.h"

namespace layernet {

// What a call to the library reported; `status` is a layernet_status.
class PredictorError : public std::runtime_error {
 public:
  PredictorError(layernet_status code, const char* message) : std::runtime_error(message), status(code) {}
  const layernet_status status;
};

// An input or output: its name, element type (a layernet_dtype) and sizes, where -c stands for c times the batch.
struct PortInfo {
  std::string name;
  layernet_dtype dtype;
  std::vector<std::int64_t> shape;
};

class Predictor {
 public:
  class Workspace {
   public:
    explicit Workspace(const Predictor& predictor) : api_(predictor.api_) {
      check(api_, api_->workspace_new(predictor.handle_, &workspace_));
    }
    Workspace(Workspace&& other) noexcept : api_(other.api_), workspace_(std::exchange(other.workspace_, nullptr)) {}
    Workspace& operator=(Workspace&& other) noexcept {
      std::swap(api_, other.api_);
      std::swap(workspace_, other.workspace_);
      return *this;
    }
    ~Workspace() { api_->workspace_free(workspace_); }

   private:
    friend class Predictor;
    const layernet_api* api_;
    layernet_workspace* workspace_ = nullptr;
  };

  static Predictor load(const std::string& path) { return load(path.c_str()); }
  static Predictor load(const char* path) {
    const layernet_api* api = linked_api();
    layernet_predictor* handle = nullptr;
    check(api, api->load(path, &handle));
    return Predictor(api, handle);
  }
  // The content of a file; not needed afterwards.
  static Predictor load(const void* data, std::size_t size) {
    const layernet_api* api = linked_api();
    layernet_predictor* handle = nullptr;
    check(api, api->load_bytes(data, size, &handle));
    return Predictor(api, handle);
  }
  // Takes over a reference (python.h makes one of a Python object).
  Predictor(const layernet_api* api, layernet_predictor* handle) : api_(api), handle_(handle) { read_form(); }

  Predictor(const Predictor& other) noexcept : api_(other.api_), handle_(other.handle_), is_simple_(other.is_simple_) {
    if (handle_ != nullptr) api_->retain(handle_);
  }
  Predictor(Predictor&& other) noexcept
      : api_(other.api_), handle_(std::exchange(other.handle_, nullptr)), is_simple_(other.is_simple_) {}
  Predictor& operator=(Predictor other) noexcept {
    std::swap(api_, other.api_);
    std::swap(handle_, other.handle_);
    std::swap(is_simple_, other.is_simple_);
    return *this;
  }
  ~Predictor() { api_->release(handle_); }

  std::size_t input_count() const noexcept { return api_->input_count(handle_); }
  std::size_t output_count() const noexcept { return api_->output_count(handle_); }
  PortInfo input(std::size_t i = 0) const { return port(api_->input, i); }
  PortInfo output(std::size_t i = 0) const { return port(api_->output, i); }
  // Bytes for batch n.
  std::size_t input_bytes(std::size_t i, std::int64_t n) const { return size(api_->input_bytes(handle_, i, n)); }
  std::size_t output_bytes(std::size_t i, std::int64_t n) const { return size(api_->output_bytes(handle_, i, n)); }

  // One float32 input and one float32 output; x has `rows` rows, and y gets as many. Throws PredictorError for another
  // network.
  void run(const float* x, std::size_t rows, float* y) const {
    const void* const in[1] = {x};
    void* const out[1] = {y};
    require_simple();
    check(api_, api_->run(handle_, static_cast<std::int64_t>(rows), in, out));
  }
  void run(const float* x, std::size_t rows, float* y, Workspace& workspace) const {
    const void* const in[1] = {x};
    void* const out[1] = {y};
    require_simple();
    check(api_, api_->run_with(workspace.workspace_, static_cast<std::int64_t>(rows), in, out));
  }
  // By up to `threads` threads of the library's own pool, where the work is worth it.
  void run_threads(int threads, const float* x, std::size_t rows, float* y) const {
    const void* const in[1] = {x};
    void* const out[1] = {y};
    require_simple();
    check(api_, api_->run_threads(handle_, threads, static_cast<std::int64_t>(rows), in, out));
  }
  // The general form: one pointer for each port, in order, to contiguous memory of the port's type.
  void run(std::int64_t n, const void* const* inputs, void* const* outputs) const {
    check(api_, api_->run(handle_, n, inputs, outputs));
  }
  void run(std::int64_t n, const void* const* inputs, void* const* outputs, Workspace& workspace) const {
    check(api_, api_->run_with(workspace.workspace_, n, inputs, outputs));
  }
  void run(std::int64_t n, std::initializer_list<const void*> inputs, std::initializer_list<void*> outputs) const {
    if (inputs.size() != input_count() || outputs.size() != output_count())
      throw PredictorError(LAYERNET_INVALID_ARGUMENT,
                           "run: expected one pointer for each input and output, got another number.");
    run(n, inputs.begin(), outputs.begin());
  }

  layernet_predictor* handle() const noexcept { return handle_; }  // stays owned by this object

 private:
  static void check(const layernet_api* api, layernet_status status) {
    if (status != LAYERNET_OK) throw PredictorError(status, api->last_error());
  }
  static const layernet_api* linked_api() {
    const layernet_api* api = layernet_get_api(LAYERNET_ABI_VERSION);
    if (api == nullptr)
      throw PredictorError(LAYERNET_FAILED_PRECONDITION, "layernet: expected a library of this header's ABI version.");
    return api;
  }
  static std::size_t size(std::int64_t bytes) {
    if (bytes < 0)
      throw PredictorError(LAYERNET_INVALID_ARGUMENT, "bytes: expected a port of the network and a batch that fits.");
    return static_cast<std::size_t>(bytes);
  }
  PortInfo port(layernet_status (*get)(const layernet_predictor*, std::size_t, layernet_port*), std::size_t i) const {
    layernet_port p;
    check(api_, get(handle_, i, &p));
    return PortInfo{p.name, static_cast<layernet_dtype>(p.dtype), std::vector<std::int64_t>(p.shape, p.shape + p.rank)};
  }
  // Whether rows are the batch: [N, ...] float32 on both sides. Asked once, not at every call.
  void read_form() {
    layernet_port in, out;
    is_simple_ = api_->input_count(handle_) == 1 && api_->output_count(handle_) == 1 &&
                 api_->input(handle_, 0, &in) == LAYERNET_OK && api_->output(handle_, 0, &out) == LAYERNET_OK &&
                 in.dtype == LAYERNET_FLOAT32 && out.dtype == LAYERNET_FLOAT32 && in.rank > 0 && in.shape[0] == -1;
  }
  void require_simple() const {
    if (!is_simple_)
      throw PredictorError(
          LAYERNET_INVALID_ARGUMENT,
          "run: expected a network of one float32 input [N, ...] and one float32 output. Use run(n, inputs, outputs).");
  }

  const layernet_api* api_;
  layernet_predictor* handle_;
  bool is_simple_ = false;
};

}  // namespace layernet
