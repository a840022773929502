// What an op is, and what ops are applied through.
//
// An op is a small struct: attributes, infer, backward, prepare, run (csrc/README.md shows one). define_op() erases its
// type into an OpDef. Ops are applied through Emitter: Eager runs, Tracer adds a node to a graph, Tape wraps either and
// remembers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "layernet/error.h"
#include "layernet/tensor.h"

namespace layernet {

namespace kernels {
struct KernelTable;
}

// ---- attributes -----------------------------------------------------------------------------------------------------

// Walks the attributes of an op; bindings, printing, equality and saving are visitors.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void operator()(const char* name, bool& value) = 0;
  virtual void operator()(const char* name, std::int64_t& value) = 0;
  virtual void operator()(const char* name, double& value) = 0;
  virtual void operator()(const char* name, DType& value) = 0;
  virtual void operator()(const char* name, Ints& value) = 0;
  virtual void operator()(const char* name, Shape& value) = 0;
  // One of `count` words; value is its index.
  virtual void choice(const char* name, int& value, const char* const* words, int count) = 0;
};

// ---- shapes of the inputs, as infer sees them -----------------------------------------------------------------------

class InSpecs {
 public:
  InSpecs(const Spec* const* specs, std::size_t n) noexcept : specs_(specs), n_(n) {}
  std::size_t size() const noexcept { return n_; }
  const Spec& operator[](std::size_t i) const noexcept { return *specs_[i]; }
  const Shape& shape(std::size_t i) const noexcept { return specs_[i]->shape; }
  DType dtype(std::size_t i) const noexcept { return specs_[i]->dtype; }
  std::size_t rank(std::size_t i) const noexcept { return specs_[i]->shape.size(); }

 private:
  const Spec* const* specs_;
  std::size_t n_;
};

// ---- running --------------------------------------------------------------------------------------------------------

struct View {
  void* data;
  const Shape* shape;  // every dimension fixed
  std::int64_t dim(std::size_t i) const noexcept { return (*shape)[i].value(); }
  std::size_t rank() const noexcept { return shape->size(); }
  std::size_t size() const noexcept { return static_cast<std::size_t>(fixed_count(*shape)); }
  template <class T>
  T* as() const noexcept {
    return static_cast<T*>(data);
  }
};

struct Buffers {
  const View* in;
  const View* out;
  void* scratch;  // 64-byte aligned
};

// A prepared op. Trivially cheap to make: eager calls build one on the stack.
struct Step {
  using Run = void (*)(const Step&, const Buffers&) noexcept;
  Run run = nullptr;
  const void* attributes = nullptr;  // of the op; outlive the step
  const kernels::KernelTable* kernels = nullptr;
  const char* kernel_name = "";     // what prepare chose, for people
  std::shared_ptr<void> constants;  // owns what prepare made of constant inputs (plans only)
  const void* kept = nullptr;       // where Preparation::keep(bytes, ...) put it
  std::uint64_t kept_bytes = 0;
  std::uint32_t replaced = 0;      // bit i: run() does not read input i, what is kept takes its place
  std::unique_ptr<Step> inner;     // of the half-precision adapter
  std::int64_t scratch_bytes = 0;  // scratch = scratch_bytes + N * scratch_bytes_per_n
  std::int64_t scratch_bytes_per_n = 0;
  double flops = 0, flops_per_n = 0;  // estimated work: flops + N * flops_per_n
  // What prepare says of the op at hand, for plans. elementwise: an element of an output depends on the elements of the
  // inputs that broadcasting puts at its place, all outputs have one shape, and run() serves any shapes of the same
  // kind. last_axis: rows along the last axis are treated alike and apart. in_place: bit i is set when output 0 may lie
  // on input i. block_rows: of so many rows of the batch or more a plan should make its blocks.
  bool elementwise = false, last_axis = false;
  std::int64_t block_rows = 0;
  std::uint32_t in_place = 0;
  // Optional: the same result by parts 0 .. parts - 1 of the output's columns, each on any thread.
  void (*run_part)(const Step&, const Buffers&, int part, int parts) noexcept = nullptr;
  // Optional: output 0, a matrix, by blocks of rows that go to `take`, and nowhere else; the other outputs as run()
  // has them. For what reads each block while it is in the cache (plan/weight_update.h). Of scratch a part needs
  // block_bytes beside what run() does.
  using Take = void (*)(void* context, std::size_t first, std::size_t rows, void* block);
  void (*run_blocks)(const Step&, const Buffers&, int part, int parts, Take take, void* context) noexcept = nullptr;
  std::int64_t block_bytes = 0;
  alignas(16) unsigned char params[160];  // plain data of the op's own choice

  template <class Op>
  const Op& op() const noexcept {
    return *static_cast<const Op*>(attributes);
  }
  template <class P>
  const P& get() const noexcept {
    return *std::launder(reinterpret_cast<const P*>(params));
  }
};

class LAYERNET_API Preparation {
 public:
  Preparation(InSpecs in, const Specs& out, const Tensor* constants, Step& step,
              DType weights = DType::float32) noexcept
      : in_(in), out_(out), constants_(constants), step_(step), weights_(weights) {}
  const InSpecs& in() const noexcept { return in_; }
  const Spec& in(std::size_t i) const noexcept { return in_[i]; }
  const Spec& out(std::size_t i = 0) const noexcept { return out_[i]; }
  const Specs& outs() const noexcept { return out_; }
  const kernels::KernelTable& kernels() const noexcept { return *step_.kernels; }
  // The type in which float32 weights are to be kept, where the op can (OpDef::weight_axis): float32, bfloat16 or int8.
  DType weights() const noexcept { return weights_; }
  // A plan is being built: input i may be a constant, which may be packed (then run must not read input i).
  bool planning() const noexcept { return constants_ != nullptr; }
  const Tensor* constant(std::size_t i) const noexcept {
    return constants_ && constants_[i] ? &constants_[i] : nullptr;
  }
  void run(Step::Run run, const char* kernel_name = "") noexcept {
    step_.run = run;
    step_.kernel_name = kernel_name;
  }
  // The properties of Step. An elementwise op acts on the last axis only, and its output may lie on any input
  // that has the output's shape and type.
  void elementwise() noexcept;
  void last_axis() noexcept { step_.last_axis = true; }
  void in_place(std::size_t input) noexcept { step_.in_place |= std::uint32_t{1} << input; }
  void block_rows(std::int64_t rows) noexcept { step_.block_rows = rows; }
  void parts(void (*run_part)(const Step&, const Buffers&, int, int) noexcept) noexcept { step_.run_part = run_part; }
  void blocks(decltype(Step::run_blocks) run_blocks, std::int64_t bytes) noexcept {
    step_.run_blocks = run_blocks;
    step_.block_bytes = (bytes + 63) & ~std::int64_t{63};
  }
  // Estimated floating-point operations, `each` for every one of `count`.
  void work(Dim count, double each) noexcept {
    (count.is_batch() ? step_.flops_per_n : step_.flops) +=
        each * static_cast<double>(count.is_batch() ? count.batch_multiple() : count.value());
  }
  // Plain data that run() gets back by step.get<P>().
  template <class P>
  P& params() {
    static_assert(std::is_trivially_destructible_v<P> && sizeof(P) <= sizeof(Step::params) && alignof(P) <= 16);
    return *::new (step_.params) P();
  }
  void keep(std::shared_ptr<void> constants) noexcept { step_.constants = std::move(constants); }
  // Aligned room that lives as long as the step, for what is made of the constant inputs in the set `replaced` (bits);
  // run() finds it as step.kept and does not read these inputs.
  void* keep(std::size_t bytes, std::uint32_t replaced);
  // Adds `count * item` bytes of scratch, rounded up to 64 (run() finds the parts in the order asked for).
  void scratch(Dim count, std::size_t item);

 private:
  InSpecs in_;
  const Specs& out_;
  const Tensor* constants_;
  Step& step_;
  DType weights_;
};

// Bytes of one scratch part as Preparation::scratch counts them.
constexpr std::size_t scratch_part(std::size_t bytes) noexcept {
  return (bytes + 63) & ~std::size_t{63};
}

// ---- the definition -------------------------------------------------------------------------------------------------

class Emitter;
struct OpDef;

// One application of an op, as backward sees it.
struct Call {
  const OpDef* op = nullptr;
  const void* attributes = nullptr;
  const Values* inputs = nullptr;
  const Values* outputs = nullptr;
  const bool* wanted = nullptr;  // per input: is its gradient needed
  const Value& in(std::size_t i) const noexcept { return (*inputs)[i]; }
  const Value& out(std::size_t i = 0) const noexcept { return (*outputs)[i]; }
  bool wants(std::size_t i) const noexcept { return wanted == nullptr || wanted[i]; }
};

// An input of an op while a plan is built: its spec, and its value when that is known.
struct FusionInput {
  Spec spec;
  Tensor constant;
  int value = -1;  // number in the plan's graph; -1 for a constant that absorb made
};

// The one op that uses an op's only result, offered for fusion (OpDef::absorb).
struct Fusion {
  const OpDef& next;
  const void* next_attributes;
  const std::vector<FusionInput>& next_inputs;
  std::size_t position;              // of the result among next_inputs
  const Spec& result;                // of the op that may absorb
  std::vector<FusionInput>& inputs;  // of that op: absorb may replace and append
  DType weights;                     // as Preparation::weights() will say
};

// x * scale + shift along the last axis.
struct ScaleShift {
  std::vector<double> scale, shift;
};

struct OpDef {
  const char* name;
  const char* inputs;     // "x", "a, b", "[xs]" (one list), "x, w, b?" (optional ones last)
  int updates = 0;        // the first inputs are variables, replaced by the first outputs
  int view_of = -1;       // output 0 is input view_of under another shape; there is nothing to run
  bool any_type = false;  // run() handles every element type itself (moves bytes); else halves go through float32
  bool empty_dy = false;  // backward() takes an empty value for an output that nothing depends on; else zeros
  const char* no_gradient = nullptr;  // why there is no gradient, when there is none
  bool stateless = false;             // no attributes: every application shares `defaults`
  std::shared_ptr<const void> defaults;

  std::shared_ptr<void> (*clone)(const void* attributes);
  std::size_t (*construct)(const void* attributes, void* where,
                           std::size_t room);  // copy; bytes needed when room is short
  void (*destroy)(void* attributes) noexcept;
  void (*visit)(void* attributes, FieldVisitor& visitor);
  Specs (*infer)(const void* attributes, const InSpecs& in);
  Values (*backward)(const void* attributes, Emitter& e, const Call& call, const Values& dy);
  void (*prepare)(const void* attributes, Preparation& p);
  // Optional. Fuse the next op into this one: true when `attributes` and the inputs now also do the work of `next`.
  bool (*absorb)(void* attributes, const Fusion& fusion) = nullptr;
  // Optional. Where the gradient of input 0 is 0 but for some of its rows: these rows [k, ...], and the numbers [k] of
  // the rows to which they add (a number may come again, and outside of the input it adds nothing). Else false.
  bool (*row_gradient)(const void* attributes, Emitter& e, const Call& call, const Values& dy, Value* rows,
                       Value* numbers) = nullptr;
  // Optional. Input 1 holds weights, which plans and files may keep in a smaller type: the axis of its output channels.
  std::size_t (*weight_axis)(const void* attributes) = nullptr;
  // Optional. What the op does to input 0 when the others are these constants (an empty tensor: not known), as a
  // multiplication and an addition; without a scale when it is not that.
  ScaleShift (*scale_shift)(const void* attributes, const Spec& x, const Tensor* constants) = nullptr;
  // Optional. Rows of the output depend on other rows of the input although both have the batch as their first axis and
  // nowhere else (softmax along axis 0, a gather of rows). Where no op does, a plan may run block by block of rows.
  bool (*couples_rows)(const void* attributes, const InSpecs& in) = nullptr;
  // Optional. The value of an int64 output as dimensions, where it follows from shapes alone (shape, slices of it,
  // ...).
  bool (*dims)(const void* attributes, const InSpecs& in, const Shape* const* in_dims, Shape* out) = nullptr;

  bool differentiable() const noexcept { return backward != nullptr; }
  std::shared_ptr<const void> keep(const void* attributes) const {
    return stateless ? defaults : std::shared_ptr<const void>(clone(attributes));
  }
};

namespace detail {
template <class T, class = void>
struct has_backward : std::false_type {};
template <class T>
struct has_backward<T, std::void_t<decltype(&T::backward)>> : std::true_type {};
template <class T, class = void>
struct has_prepare : std::false_type {};
template <class T>
struct has_prepare<T, std::void_t<decltype(&T::prepare)>> : std::true_type {};
template <class T, class = void>
struct has_absorb : std::false_type {};
template <class T>
struct has_absorb<T, std::void_t<decltype(&T::absorb)>> : std::true_type {};
template <class T, class = void>
struct has_row_gradient : std::false_type {};
template <class T>
struct has_row_gradient<T, std::void_t<decltype(&T::row_gradient)>> : std::true_type {};
template <class T, class = void>
struct has_weight_axis : std::false_type {};
template <class T>
struct has_weight_axis<T, std::void_t<decltype(&T::weight_axis)>> : std::true_type {};
template <class T, class = void>
struct has_scale_shift : std::false_type {};
template <class T>
struct has_scale_shift<T, std::void_t<decltype(&T::scale_shift)>> : std::true_type {};
template <class T, class = void>
struct has_couples_rows : std::false_type {};
template <class T>
struct has_couples_rows<T, std::void_t<decltype(&T::couples_rows)>> : std::true_type {};
template <class T, class = void>
struct has_dims : std::false_type {};
template <class T>
struct has_dims<T, std::void_t<decltype(&T::dims)>> : std::true_type {};
}  // namespace detail

// Traits of an op beside its functions; designated by name at the definition.
struct OpTraits {
  int updates = 0;
  int view_of = -1;
  bool any_type = false;
  const char* no_gradient = nullptr;
  bool empty_dy = false;
};

template <class Op>
OpDef define_op(const char* name, const char* inputs, OpTraits traits = {}) {
  OpDef d{};
  d.name = name;
  d.inputs = inputs;
  d.updates = traits.updates;
  d.view_of = traits.view_of;
  d.any_type = traits.any_type;
  d.no_gradient = traits.no_gradient;
  d.empty_dy = traits.empty_dy;
  d.stateless = std::is_empty_v<Op>;
  d.defaults = std::make_shared<Op>();
  d.clone = [](const void* a) -> std::shared_ptr<void> { return std::make_shared<Op>(*static_cast<const Op*>(a)); };
  d.construct = [](const void* a, void* where, std::size_t room) -> std::size_t {
    if (sizeof(Op) <= room) ::new (where) Op(*static_cast<const Op*>(a));
    return sizeof(Op);
  };
  d.destroy = [](void* a) noexcept { static_cast<Op*>(a)->~Op(); };
  d.visit = [](void* a, FieldVisitor& v) { static_cast<Op*>(a)->fields(v); };
  d.infer = [](const void* a, const InSpecs& in) { return static_cast<const Op*>(a)->infer(in); };
  if constexpr (detail::has_backward<Op>::value)
    d.backward = [](const void* a, Emitter& e, const Call& c, const Values& dy) {
      return static_cast<const Op*>(a)->backward(e, c, dy);
    };
  else
    d.backward = nullptr;
  if constexpr (detail::has_prepare<Op>::value)
    d.prepare = [](const void* a, Preparation& p) { static_cast<const Op*>(a)->prepare(p); };
  else
    d.prepare = nullptr;
  if constexpr (detail::has_absorb<Op>::value)
    d.absorb = [](void* a, const Fusion& fusion) { return static_cast<Op*>(a)->absorb(fusion); };
  if constexpr (detail::has_row_gradient<Op>::value)
    d.row_gradient = [](const void* a, Emitter& e, const Call& c, const Values& dy, Value* rows, Value* numbers) {
      return static_cast<const Op*>(a)->row_gradient(e, c, dy, rows, numbers);
    };
  if constexpr (detail::has_weight_axis<Op>::value)
    d.weight_axis = [](const void* a) { return static_cast<const Op*>(a)->weight_axis(); };
  if constexpr (detail::has_scale_shift<Op>::value)
    d.scale_shift = [](const void* a, const Spec& x, const Tensor* constants) {
      return static_cast<const Op*>(a)->scale_shift(x, constants);
    };
  if constexpr (detail::has_couples_rows<Op>::value)
    d.couples_rows = [](const void* a, const InSpecs& in) { return static_cast<const Op*>(a)->couples_rows(in); };
  if constexpr (detail::has_dims<Op>::value)
    d.dims = [](const void* a, const InSpecs& in, const Shape* const* id, Shape* out) {
      return static_cast<const Op*>(a)->dims(in, id, out);
    };
  return d;
}

// Largest attribute struct that the bindings hold on the stack.
constexpr std::size_t kMaxOpBytes = 512;

// ---- the registry ---------------------------------------------------------------------------------------------------

// By name; nullptr when there is none.
LAYERNET_API const OpDef* find_op(const char* name) noexcept;
LAYERNET_API std::size_t op_count() noexcept;
LAYERNET_API const OpDef& op_at(std::size_t i) noexcept;

// ---- emitters -------------------------------------------------------------------------------------------------------

using Targets = SmallVector<std::shared_ptr<Variable>, 4>;

class LAYERNET_API Emitter {
 public:
  virtual ~Emitter() = default;
  // Applies an op. For an op with updates, inputs[0..updates) are empty and `targets` are the variables; the result
  // then holds only the outputs after the updates.
  virtual Values emit(const OpDef& op, const void* attributes, Values inputs, const Targets& targets) = 0;
  // The value of a variable, as this emitter sees it.
  // `symbolic`: as a variable reference, also outside a trace.
  virtual Value read(const std::shared_ptr<Variable>& variable, bool symbolic) = 0;

  template <class Op>
  Value one(const OpDef& def, const Op& op, Values inputs) {
    return std::move(emit(def, &op, std::move(inputs), Targets())[0]);
  }
};

// Eager for tensors, Tracer for symbols, and every recording tape of this thread told of it.
LAYERNET_API Emitter& current_emitter() noexcept;

}  // namespace layernet
