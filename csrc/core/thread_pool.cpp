// One job at a time: workers take task numbers from a shared counter, so the assignment to threads is arbitrary;
// whoever uses the pool cuts work into tasks by shape, never by thread, and results do not depend on it.
//
// A worker that has finished watches for the next job for about 20 us before it sleeps: calls of a service that follow
// each other closely cost no wake-up (about 5 us through the kernel, measured on a 2-core virtual machine), and an idle
// process costs no CPU.
#include "core/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <new>

#include "core/platform_posix.h"
#include "layernet/info.h"

namespace layernet {

namespace {

constexpr int kSpins = 4000;
constexpr int kMaxWorkers = 255;

void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

struct Job {
  ThreadPool::Body body = nullptr;
  void* context = nullptr;
  int tasks = 0;
  int helpers = 0;  // workers that may join
};

struct State {
  std::atomic_flag busy = ATOMIC_FLAG_INIT;  // held by the caller whose job it is
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
  std::atomic<std::uint32_t> generation{0};  // raised for each job
  std::atomic<int> next_task{0};
  std::atomic<int> joined{0};   // workers that asked to join this job
  std::atomic<int> running{0};  // workers inside a job's tasks
  std::atomic<int> sleeping{0};
  int workers = 0;
  Job job;
};

// Constructed in place and again in a forked child, where no worker exists and a lock may have been held.
alignas(State) unsigned char state_memory[sizeof(State)];
State& state() noexcept {
  return *std::launder(reinterpret_cast<State*>(state_memory));
}

void work(State& s) noexcept {
  for (;;) {
    const int task = s.next_task.fetch_add(1, std::memory_order_acq_rel);
    if (task >= s.job.tasks) return;
    s.job.body(s.job.context, task);
  }
}

void* worker_main(void*) {
  State& s = state();
  std::uint32_t seen = 0;
  for (;;) {
    std::uint32_t now = s.generation.load(std::memory_order_acquire);
    for (int i = 0; i < kSpins && now == seen; ++i) {
      relax();
      now = s.generation.load(std::memory_order_acquire);
    }
    if (now == seen) {
      pthread_mutex_lock(&s.mutex);
      s.sleeping.fetch_add(1);
      while ((now = s.generation.load()) == seen) pthread_cond_wait(&s.wake, &s.mutex);
      s.sleeping.fetch_sub(1, std::memory_order_acq_rel);
      pthread_mutex_unlock(&s.mutex);
    }
    seen = now;
    // An odd generation is an open job. Announcing oneself first and looking again makes sure that the caller, who
    // closes the job and then waits for running == 0, cannot miss a worker that is about to touch it. (Sequentially
    // consistent: each side writes its own flag, then reads the other's.)
    s.running.fetch_add(1);
    if ((now & 1) != 0 && s.generation.load() == now &&
        s.joined.fetch_add(1, std::memory_order_acq_rel) < s.job.helpers)
      work(s);
    s.running.fetch_sub(1, std::memory_order_acq_rel);
  }
  return nullptr;
}

constexpr std::size_t kLeastStack = std::size_t{1} << 20;

void start_workers(State& s, int wanted) noexcept {
  while (s.workers < wanted) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    // Kernels keep up to 200 KB on the stack; musl gives a thread 128 KB.
    std::size_t stack = 0;
    pthread_attr_getstacksize(&attributes, &stack);
    if (stack < kLeastStack) pthread_attr_setstacksize(&attributes, kLeastStack);
    pthread_t thread;
    const int failed = pthread_create(&thread, &attributes, worker_main, nullptr);
    pthread_attr_destroy(&attributes);
    if (failed != 0) return;  // fewer threads, same results
    ++s.workers;
  }
}

void before_fork() {
  pthread_mutex_lock(&state().mutex);
}
void after_fork_in_parent() {
  pthread_mutex_unlock(&state().mutex);
}
void after_fork_in_child() {
  ::new (state_memory) State;
}

}  // namespace

ThreadPool& ThreadPool::instance() noexcept {
  static ThreadPool* pool = [] {
    ::new (state_memory) State;
    at_fork(before_fork, after_fork_in_parent, after_fork_in_child);
    static ThreadPool the_pool;
    return &the_pool;
  }();
  return *pool;
}

int ThreadPool::started() const noexcept {
  return state().workers;
}

void ThreadPool::run(int threads, int tasks, Body body, void* context) noexcept {
  State& s = state();
  if (threads > 1 && tasks > 1 && !s.busy.test_and_set(std::memory_order_acquire)) {
    const int helpers = std::min({threads, tasks, get_num_threads(), affinity_cpus(), kMaxWorkers + 1}) - 1;
    if (helpers > 0) {
      start_workers(s, helpers);
      s.job = Job{body, context, tasks, helpers};
      s.joined.store(0, std::memory_order_relaxed);
      s.next_task.store(0, std::memory_order_relaxed);
      s.generation.fetch_add(1);  // odd: open
      if (s.sleeping.load() != 0) {
        pthread_mutex_lock(&s.mutex);
        pthread_cond_broadcast(&s.wake);
        pthread_mutex_unlock(&s.mutex);
      }
      work(s);
      s.generation.fetch_add(1);  // even: closed
      while (s.running.load() != 0) relax();
      s.busy.clear(std::memory_order_release);
      return;
    }
    s.busy.clear(std::memory_order_release);
  }
  for (int i = 0; i < tasks; ++i) body(context, i);
}

}  // namespace layernet
