// The C interface and its C++ wrapper: errors, sizes, threads, and that a call allocates nothing.
#include <layernet/layernet.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "check.h"

namespace {
std::atomic<long> allocations{0};
}

// The library's operator new is this one too.
__attribute__((noinline)) void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
__attribute__((noinline)) void operator delete(void* p) noexcept {
  std::free(p);
}
__attribute__((noinline)) void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}

using namespace layernet;

namespace {

// y = tanh(x w), z = x + 1, from one input.
std::string two_outputs() {
  std::vector<float> w(12);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i) / 16 - 0.25F;
  const Value x = placeholder(Spec(DType::float32, Shape{Dim::batch(), Dim(4)}), "x");
  const auto kernel =
      std::make_shared<Variable>(Tensor::copy_of(Spec(DType::float32, Shape{Dim(4), Dim(3)}), w.data()));
  Emitter& e = current_emitter();
  const OpDef *dense = find_op("dense"), *tanh = find_op("tanh"), *add = find_op("add");
  Values y = e.emit(*dense, dense->defaults.get(), {x, e.read(kernel, true)}, Targets());
  y = e.emit(*tanh, tanh->defaults.get(), {y[0]}, Targets());
  const Values z = e.emit(*add, add->defaults.get(), {x, Tensor::scalar(1, DType::float32)}, Targets());
  PredictorFile::Names names;
  names.outputs = {"y", "z"};
  return PredictorFile::of(Graph({x}, {y[0], z[0]}), names).bytes();
}

std::string one_output() {
  const Value x = placeholder(Spec(DType::float32, Shape{Dim::batch(), Dim(4)}), "");
  const OpDef* tanh = find_op("tanh");
  return PredictorFile::of(Graph({x}, {current_emitter().emit(*tanh, tanh->defaults.get(), {x}, Targets())[0]}))
      .bytes();
}

void check_c() {
  CHECK(layernet_abi_version() == LAYERNET_ABI_VERSION);
  CHECK(std::strlen(layernet_version()) > 0);
  CHECK(layernet_get_api(LAYERNET_ABI_VERSION) != nullptr && layernet_get_api(LAYERNET_ABI_VERSION + 1) == nullptr);
  auto* p = reinterpret_cast<layernet_predictor*>(1);
  CHECK(layernet_load("/no/such/file", &p) == LAYERNET_IO && p == nullptr);
  CHECK(std::strstr(layernet_last_error(), "/no/such/file") != nullptr);
  CHECK(layernet_load_bytes("abc", 3, &p) == LAYERNET_FORMAT && p == nullptr);
  CHECK(layernet_load(nullptr, &p) == LAYERNET_INVALID_ARGUMENT);
  CHECK(layernet_load("x", nullptr) == LAYERNET_INVALID_ARGUMENT);

  const std::string content = two_outputs();
  CHECK(layernet_load_bytes(content.data(), content.size(), &p) == LAYERNET_OK);
  CHECK(layernet_input_count(p) == 1 && layernet_output_count(p) == 2);
  layernet_port port;
  CHECK(layernet_input(p, 0, &port) == LAYERNET_OK && std::strcmp(port.name, "x") == 0 && port.rank == 2);
  CHECK(port.shape[0] == -1 && port.shape[1] == 4 && layernet_dim_at(port.shape[0], 7) == 7 && port.item_size == 4);
  CHECK(layernet_output(p, 1, &port) == LAYERNET_OK && std::strcmp(port.name, "z") == 0);
  CHECK(layernet_output(p, 2, &port) == LAYERNET_INVALID_ARGUMENT);
  CHECK(layernet_input_bytes(p, 0, 5) == 80 && layernet_output_bytes(p, 0, 5) == 60 &&
        layernet_output_bytes(p, 0, 0) == 0);
  CHECK(layernet_output_bytes(p, 9, 1) == -1 && layernet_output_bytes(p, 0, -1) == -1 &&
        layernet_output_bytes(p, 0, INT64_MAX) == -1);

  float x[20], y[15], z[20], y2[15], z2[20];
  for (int i = 0; i < 20; ++i) x[i] = static_cast<float>(i) / 8;
  const void* in[] = {x};
  void* out[] = {y, z};
  void* out2[] = {y2, z2};
  CHECK(layernet_run(p, 5, in, out) == LAYERNET_OK);
  CHECK(z[19] == x[19] + 1);
  CHECK(layernet_run(p, -1, in, out) == LAYERNET_SHAPE && layernet_run(p, INT64_MAX, in, out) == LAYERNET_SHAPE);
  CHECK(layernet_run(p, 0, in, out) == LAYERNET_OK);
  CHECK(layernet_run_threads(p, 2, 5, in, out2) == LAYERNET_OK && std::memcmp(y, y2, sizeof y) == 0);
  layernet_workspace* w = nullptr;
  CHECK(layernet_workspace_new(p, &w) == LAYERNET_OK);
  layernet_release(p);  // the workspace keeps it
  std::memset(y2, 0, sizeof y2);
  CHECK(layernet_run_with(w, 5, in, out2) == LAYERNET_OK && std::memcmp(y, y2, sizeof y) == 0 &&
        std::memcmp(z, z2, sizeof z) == 0);
  CHECK(layernet_run_with(w, -3, in, out2) == LAYERNET_SHAPE);
  layernet_workspace_free(w);
  layernet_workspace_free(nullptr);
  layernet_release(nullptr);
}

void check_wrapper() {
  const std::string content = one_output(), several = two_outputs();
  const Predictor p = Predictor::load(content.data(), content.size());
  CHECK(p.input().name == "input" && p.output().name == "output" &&
        p.output().shape == (std::vector<std::int64_t>{-1, 4}));
  std::vector<float> x(400, 0.5F), y(400), y1(400);
  p.run(x.data(), 100, y.data());
  p.run_threads(2, x.data(), 100, y1.data());
  CHECK(y == y1);
  Predictor::Workspace w(p);
  p.run(x.data(), 100, y.data(), w);
  const long before = allocations.load();
  for (int i = 0; i < 100; ++i) {
    p.run(x.data(), 100, y.data());
    p.run(x.data(), 100, y.data(), w);
  }
  CHECK(allocations.load() == before);

  const Predictor q = Predictor::load(several.data(), several.size());
  std::vector<float> z(400);
  q.run(100, {x.data()}, {y.data(), z.data()});
  CHECK(z[399] == 1.5F);
  int caught = 0;
  try {
    q.run(x.data(), 1, y.data());
  } catch (const PredictorError& e) {
    caught += e.status == LAYERNET_INVALID_ARGUMENT;
  }
  try {
    q.run(1, {x.data()}, {y.data()});
  } catch (const PredictorError& e) {
    caught += e.status == LAYERNET_INVALID_ARGUMENT;
  }
  try {
    Predictor::load("/no/such/file");
  } catch (const PredictorError& e) {
    caught += e.status == LAYERNET_IO;
  }
  CHECK(caught == 3);

  Predictor copy = p;
  Predictor moved = std::move(copy);
  copy = moved;
  std::vector<std::thread> threads;
  std::vector<std::vector<float>> results(8, std::vector<float>(400));
  for (std::vector<float>& r : results)
    threads.emplace_back([&] {
      for (std::size_t rows = 1; rows <= 100; ++rows) moved.run(x.data(), rows, r.data());
    });
  for (std::thread& t : threads) t.join();
  p.run(x.data(), 100, y.data());
  for (const std::vector<float>& r : results) CHECK(r == y);
}

}  // namespace

int main() {
  check_c();
  check_wrapper();
  return check::result();
}
