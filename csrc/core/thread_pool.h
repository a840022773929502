// The library's own threads: started on first use, parked between calls after a short spin, none after fork until used
// again.
#pragma once

namespace layernet {

class ThreadPool {
 public:
  // The one pool of the process; never destroyed, so that threads may outlive static objects.
  static ThreadPool& instance() noexcept;

  // Calls body(context, i) for every i in [0, tasks), on the calling thread and at most `threads` - 1 others, and
  // returns when all are done. Never more threads than get_num_threads() and the process's affinity allow. When another
  // call is using the pool, the caller does all the work itself instead of waiting.
  using Body = void (*)(void* context, int task);
  void run(int threads, int tasks, Body body, void* context) noexcept;

  // Threads started so far (without callers).
  int started() const noexcept;

 private:
  ThreadPool() = default;
};

}  // namespace layernet
