// Plan: a graph made ready to run. Immutable and shared freely between threads; every call brings a Workspace of its
// own. A step is a plan that reads variables anew at each run and updates some of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "layernet/export.h"
#include "layernet/shape.h"
#include "layernet/tensor.h"

namespace layernet {

class Graph;
class Workspace;

struct PlanPort {
  Spec spec;  // dimension 0 may be the batch symbol
  std::string name;
};

// One line of the table that people read.
struct PlanStepInfo {
  std::string op;
  std::string kernel;
  std::string inputs;
  std::string outputs;
  std::uint64_t constant_bytes = 0;
  double flops = 0, flops_per_row = 0;
};

class LAYERNET_API Plan {
 public:
  virtual ~Plan();
  // Variables of the graph are read once and become constants. `weights`: the type in which float32 weights of matrix
  // products are kept: float32, bfloat16 (rounded to nearest), or int8 with a scale for each output channel.
  static std::shared_ptr<const Plan> build(const Graph& graph, DType weights = DType::float32);
  // A step: variables stay what they are, and the effects of the graph change them.
  static std::shared_ptr<const Plan> build_step(const Graph& graph);

  virtual const std::vector<PlanPort>& inputs() const noexcept = 0;
  virtual const std::vector<PlanPort>& outputs() const noexcept = 0;
  virtual std::vector<PlanStepInfo> steps() const = 0;
  // The graph after the passes, printed.
  virtual std::string text() const = 0;
  // Bytes of constants held.
  virtual std::uint64_t constant_bytes() const noexcept = 0;
  // The value of the batch symbol that these shapes give. Throws ShapeError when they do not fit.
  virtual std::int64_t batch_of(const Shape* shapes, std::size_t count) const = 0;

  // Runs. `inputs` and `outputs` are contiguous arrays of the ports' types, in order, with batch symbol `n`; outputs
  // may not overlap inputs. Does not throw once the workspace has room for `n` (prepare_for grows it).
  virtual void run(std::int64_t n, const void* const* inputs, void* const* outputs,
                   Workspace& workspace) const noexcept = 0;
  // The same by up to `threads` threads of the library's pool, when the work is worth it; the bits are the same. Throws
  // std::bad_alloc when workspaces have to grow and cannot.
  virtual void run_threads(int threads, std::int64_t n, const void* const* inputs, void* const* outputs) const = 0;
  // Whether this is a step, to be run by update() only.
  virtual bool updates() const noexcept = 0;
  // Makes a step: locks the variables it changes, runs, and gives them their new values, in place where nothing else
  // holds the old ones. The bits do not depend on `threads`. `seconds`: null, or room for the time of each step of the
  // plan, which is added. Throws std::bad_alloc, and then has changed nothing.
  virtual void update(int threads, std::int64_t n, const void* const* inputs, void* const* outputs,
                      double* seconds = nullptr) const = 0;
  // Every op acts on the last axis alone, so inputs may have more leading axes than the ports say: all of them are
  // rows.
  virtual bool last_axis_only() const noexcept = 0;
  // Runs on this thread, and gives the seconds spent in each step. Throws std::bad_alloc.
  virtual std::vector<double> profile(std::int64_t n, const void* const* inputs, void* const* outputs) const = 0;
  // Estimated floating-point operations for batch symbol n.
  virtual double work(std::int64_t n) const noexcept = 0;
  // Bytes of a workspace at batch symbol n: intermediate values and scratch.
  virtual std::size_t workspace_bytes(std::int64_t n) const noexcept = 0;
  // Makes a workspace ready for batch symbol n; allocates only when it grows.
  virtual void prepare_for(std::int64_t n, Workspace& workspace) const = 0;
  virtual std::unique_ptr<Workspace> make_workspace() const = 0;
  // A spare workspace that no other call uses, and giving it back (WorkspaceLease does both).
  virtual Workspace* take_workspace() const = 0;
  virtual void give_workspace(Workspace* workspace) const noexcept = 0;
};

class LAYERNET_API Workspace {
 public:
  virtual ~Workspace();
};

// A workspace of this plan that no other call uses, ready for n; given back at the end.
class LAYERNET_API WorkspaceLease {
 public:
  WorkspaceLease(const Plan& plan, std::int64_t n);
  ~WorkspaceLease();
  WorkspaceLease(const WorkspaceLease&) = delete;
  WorkspaceLease& operator=(const WorkspaceLease&) = delete;
  Workspace& operator*() const noexcept { return *workspace_; }

 private:
  const Plan& plan_;
  Workspace* workspace_;
};

}  // namespace layernet
