// Threads through the C++ API, meant for the thread sanitizer (`make tsan`): ops from a cold start, tapes over shared
// variables, readers and writers of one variable, one plan called by all, and tracing beside updates. Every result is
// compared with that of one thread, bit for bit.
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "autograd/tape.h"
#include "check.h"
#include "layernet/info.h"
#include "layernet/layernet.h"

namespace {

using namespace layernet;

constexpr int kThreads = 8;
constexpr std::int64_t kIn = 24, kHidden = 33;

// ---- small words for ops --------------------------------------------------------------------------------------------

// Sets the attributes that are named: integers, and words of a choice.
class Setter final : public FieldVisitor {
 public:
  Setter(const char* name, const char* word) : name_(name), word_(word) {}
  Setter(const char* name, bool truth) : name_(name), truth_(truth) {}
  void operator()(const char* name, bool& v) override {
    if (std::strcmp(name, name_) == 0) v = truth_;
  }
  void operator()(const char*, std::int64_t&) override {}
  void operator()(const char*, double&) override {}
  void operator()(const char*, DType&) override {}
  void operator()(const char*, Ints&) override {}
  void operator()(const char*, Shape&) override {}
  void choice(const char* name, int& v, const char* const* words, int count) override {
    if (std::strcmp(name, name_) != 0) return;
    for (int i = 0; i < count; ++i)
      if (std::strcmp(words[i], word_) == 0) v = i;
  }

 private:
  const char* name_;
  const char* word_ = "";
  bool truth_ = false;
};

Values emit(const char* name, Values inputs, const Targets& targets = {}, Setter setter = {"", false}) {
  const OpDef& op = *find_op(name);
  if (op.stateless) return current_emitter().emit(op, op.defaults.get(), std::move(inputs), targets);
  const std::shared_ptr<void> attributes = op.clone(op.defaults.get());
  op.visit(attributes.get(), setter);
  return current_emitter().emit(op, attributes.get(), std::move(inputs), targets);
}

Value one(const char* name, Values inputs, Setter setter = {"", false}) {
  return emit(name, std::move(inputs), {}, setter)[0];
}

// Numbers in [-1, 1) that differ from element to element.
Tensor filled(Shape shape, unsigned seed) {
  Tensor t = Tensor::empty(Spec(DType::float32, std::move(shape)));
  auto* x = static_cast<float*>(t.mutable_data());
  for (std::int64_t i = 0; i < t.size(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    x[i] = static_cast<float>(static_cast<int>(seed >> 8) - (1 << 23)) / (1 << 23);
  }
  return t;
}

Tensor scalar(double v) {
  return Tensor::scalar(v, DType::float32);
}

bool same(const Tensor& a, const Tensor& b) {
  return a.spec() == b.spec() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

// body(thread) in kThreads threads that start together.
void in_threads(const std::function<void(int)>& body) {
  std::atomic<int> waiting{kThreads};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      for (--waiting; waiting > 0;) std::this_thread::yield();
      body(i);
    });
  for (std::thread& t : threads) t.join();
}

// CHECK counts without locks, so threads say only whether all went well.
void check_in_threads(const char* what, const std::function<bool(int)>& body) {
  std::atomic<int> good{0};
  in_threads([&](int i) { good += body(i) ? 1 : 0; });
  CHECK_NOTE(good == kThreads, "%s: %d of %d threads agree", what, good.load(), kThreads);
}

// ---- what is run ----------------------------------------------------------------------------------------------------

struct Weights {
  std::shared_ptr<Variable> w0 = std::make_shared<Variable>(filled({kIn, kHidden}, 1));
  std::shared_ptr<Variable> b0 = std::make_shared<Variable>(filled({kHidden}, 2));
  std::shared_ptr<Variable> w1 = std::make_shared<Variable>(filled({kHidden, 3}, 3));
  std::shared_ptr<Variable> b1 = std::make_shared<Variable>(filled({3}, 4));
};

Value network(const Value& x, const Weights& w) {
  Emitter& e = current_emitter();
  const bool symbolic = x.is_symbol();
  const auto read = [&](const std::shared_ptr<Variable>& v) { return e.read(v, symbolic); };
  const Value h = one("dense", {x, read(w.w0), read(w.b0)}, {"activation", "tanh"});
  return one("softmax", {one("dense", {h, read(w.w1), read(w.b1)})});
}

Tensor many_ops(const Tensor& x) {
  Value y = one("add", {one("exp", {x}), one("sigmoid", {x})});
  y = one("matmul", {y, y}, {"transpose_b", true});
  y = one("divide", {one("softplus", {y}), one("reduce_max", {y})});
  return one("layer_norm", {y, filled({x.shape()[0]}, 7), filled({x.shape()[0]}, 8)}).tensor();
}

std::vector<Tensor> gradients(const Tensor& x, const Weights& w) {
  Tape tape(false);
  tape.push();
  const Value loss = one("reduce_mean", {one("square", {network(x, w)})});
  tape.pop();
  const Values got = tape.gradient({loss}, {{{}, w.w0}, {{}, w.b0}, {{}, w.w1}, {{}, w.b1}}, {});
  std::vector<Tensor> out;
  for (const Value& v : got) out.push_back(v.tensor());
  return out;
}

std::shared_ptr<const Plan> compiled(const Weights& w) {
  const Trace trace;
  const Value x = placeholder(Spec(DType::float32, {Dim::batch(), kIn}), "x");
  return Plan::build(Graph({x}, {network(x, w)}));
}

std::vector<float> predicted(const Plan& plan, const Tensor& x, int threads) {
  const std::int64_t n = x.shape()[0].value();
  std::vector<float> y(static_cast<std::size_t>(n * 3));
  const void* const in[1] = {x.data()};
  void* const out[1] = {y.data()};
  if (threads > 1) {
    plan.run_threads(threads, n, in, out);
  } else {
    const WorkspaceLease lease(plan, n);
    plan.run(n, in, out, *lease);
  }
  return y;
}

// ---- the checks -----------------------------------------------------------------------------------------------------

// The very first ops of the process: kernels are chosen and pools started by whichever thread comes first.
void ops_from_a_cold_start() {
  const Tensor x = filled({40, 50}, 5);
  std::vector<Tensor> results(kThreads);
  in_threads([&](int i) { results[static_cast<std::size_t>(i)] = many_ops(x); });
  const Tensor expected = many_ops(x);
  for (const Tensor& r : results) CHECK(same(r, expected));
}

void tapes_over_shared_variables() {
  const Weights w;
  const Tensor x = filled({17, kIn}, 6);
  const std::vector<Tensor> expected = gradients(x, w);
  check_in_threads("tapes", [&](int) {
    bool good = true;
    for (int round = 0; round < 10; ++round) {
      const std::vector<Tensor> got = gradients(x, w);
      for (std::size_t i = 0; i < got.size(); ++i) good = good && same(got[i], expected[i]);
    }
    return good;
  });
}

// Each update adds 1 to every element, so whoever reads between two updates sees equal elements.
void readers_and_writers_of_one_variable() {
  constexpr int kRounds = 200;
  const auto v = std::make_shared<Variable>(Tensor::zeros(Spec(DType::float32, {1000})));
  check_in_threads("readers and writers", [&](int thread) {
    Tensor ones = Tensor::empty(v->spec());
    for (int i = 0; i < 1000; ++i) static_cast<float*>(ones.mutable_data())[i] = 1;
    bool good = true;
    for (int round = 0; round < kRounds; ++round) {
      if (thread % 2 == 0) {
        emit("assign_add", {Value(), ones}, {v});
      } else {
        const Tensor t = v->value();
        good = good && t.as<float>()[0] == t.as<float>()[999];
      }
    }
    return good;
  });
  CHECK(v->value().as<float>()[0] == kThreads / 2 * kRounds);
  CHECK(v->version() == static_cast<std::uint64_t>(kThreads / 2 * kRounds));
}

// An update of two variables locks both: the other order must not wait for ever.
void updates_in_both_orders() {
  const auto a = std::make_shared<Variable>(filled({64}, 9));
  const auto b = std::make_shared<Variable>(filled({64}, 10));
  const Tensor gradient = filled({64}, 11), rate = scalar(0.01);
  in_threads([&](int thread) {
    for (int round = 0; round < 100; ++round)
      emit("momentum", {Value(), Value(), gradient, rate}, thread % 2 == 0 ? Targets{a, b} : Targets{b, a});
  });
  CHECK(a->version() == kThreads * 100 && b->version() == kThreads * 100);
}

void one_plan_called_by_all() {
  const Weights w;
  const std::shared_ptr<const Plan> plan = compiled(w);
  const Tensor x = filled({700, kIn}, 12);
  const std::vector<float> expected = predicted(*plan, x, 1);
  check_in_threads("plan", [&](int thread) {
    bool good = true;
    for (int round = 0; round < 10; ++round) good = good && predicted(*plan, x, 1 + thread % 3) == expected;
    return good;
  });
}

// Steps, plain updates and readers of one variable, all at once.
void steps_beside_updates_and_readers() {
  constexpr int kRounds = 100;
  constexpr std::int64_t kSize = 70000;  // enough for a step to be shared between threads
  const auto v = std::make_shared<Variable>(Tensor::zeros(Spec(DType::float32, {kSize})));
  Tensor ones = Tensor::empty(v->spec());
  for (std::int64_t i = 0; i < kSize; ++i) static_cast<float*>(ones.mutable_data())[i] = 1;
  std::shared_ptr<const Plan> step;
  {
    const Trace trace;
    const Value x = placeholder(v->spec(), "x");
    const Value change = one("abs", {one("negative", {x})});
    emit("sgd", {Value(), one("negative", {change}), scalar(1)}, {v});
    step = Plan::build_step(Graph({x}, {one("reduce_max", {x})}, trace.effects()));
  }
  check_in_threads("steps", [&](int thread) {
    bool good = true;
    for (int round = 0; round < kRounds; ++round) {
      if (thread % 3 == 0) {
        float largest = 0;
        const void* const in[1] = {ones.data()};
        void* const out[1] = {&largest};
        step->update(1 + thread % 2, 1, in, out);
        good = good && largest == 1;
      } else if (thread % 3 == 1) {
        emit("assign_add", {Value(), ones}, {v});
      } else {
        const Tensor t = v->value();
        good = good && t.as<float>()[0] == t.as<float>()[kSize - 1];
      }
    }
    return good;
  });
  int writers = 0;
  for (int thread = 0; thread < kThreads; ++thread) writers += thread % 3 != 2;
  CHECK(v->value().as<float>()[0] == static_cast<float>(writers * kRounds));
  CHECK(v->version() == static_cast<std::uint64_t>(writers * kRounds));
}

void tracing_beside_updates() {
  const Weights w;
  const Tensor x = filled({5, kIn}, 13);
  check_in_threads("tracing", [&](int thread) {
    for (int round = 0; round < 20; ++round) {
      if (thread == 0) {
        emit("assign", {Value(), filled({kIn, kHidden}, static_cast<unsigned>(round))}, {w.w0});
        continue;
      }
      float sum = 0;
      for (const float p : predicted(*compiled(w), x, 1)) sum += p;
      if (sum < 4.99f || sum > 5.01f) return false;  // five rows of probabilities
    }
    return true;
  });
}

void settings_beside_calls() {
  const Tensor x = filled({128, 96}, 14);
  const Tensor expected = many_ops(x);
  check_in_threads("settings", [&](int thread) {
    bool good = true;
    for (int round = 0; round < 5; ++round) {
      if (thread == 0) set_num_threads(1 + round % 2);
      good = good && build_info().threads >= 1 && same(many_ops(x), expected);
    }
    return good;
  });
}

}  // namespace

int main() {
  ops_from_a_cold_start();
  tapes_over_shared_variables();
  readers_and_writers_of_one_variable();
  updates_in_both_orders();
  one_plan_called_by_all();
  steps_beside_updates_and_readers();
  tracing_beside_updates();
  settings_beside_calls();
  return check::result();
}
