// Tensor, Variable and Value. A Tensor is an immutable value: contiguous, row-major, 64-byte aligned when the library
// allocated it. A Variable owns a Tensor and replaces it on update, in place when nothing else holds the storage. A
// Value is what ops take and give: a Tensor or the symbol of a graph.
//
// Threading: Tensors may be shared freely (their contents never change, the counts are atomic). A Variable has a lock
// of its own around reading and replacing its Tensor.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "layernet/export.h"
#include "layernet/shape.h"

namespace layernet {

// Intrusive reference: T has `std::atomic<int32_t> refs` and a static `void destroy(T*)`.
template <class T>
class Ref {
 public:
  Ref() noexcept = default;
  Ref(std::nullptr_t) noexcept {}  // NOLINT
  explicit Ref(T* p) noexcept : p_(p) { hold(); }
  Ref(const Ref& o) noexcept : p_(o.p_) { hold(); }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_ && p_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) T::destroy(p_);
  }
  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  bool unique() const noexcept { return p_ && p_->refs.load(std::memory_order_acquire) == 1; }
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.p_ == b.p_; }
  friend bool operator!=(const Ref& a, const Ref& b) noexcept { return a.p_ != b.p_; }

 private:
  void hold() const noexcept {
    if (p_) p_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  T* p_ = nullptr;
};

// A block of bytes and who frees it.
struct LAYERNET_API Storage {
  std::atomic<std::int32_t> refs{0};
  void* data = nullptr;
  std::size_t bytes = 0;
  void (*release)(void* owner) =
      nullptr;  // foreign memory: called once with owner; nullptr: the bytes follow this header
  void* owner = nullptr;

  // 64-byte aligned, contents undefined. Throws std::bad_alloc.
  static Ref<Storage> allocate(std::size_t bytes);
  // Memory of somebody else, kept until `release(owner)`.
  static Ref<Storage> wrap(void* data, std::size_t bytes, void (*release)(void*), void* owner);
  static void destroy(Storage* s) noexcept;
};

// Number of storages allocated so far by this process; tests of "allocates nothing" compare it.
LAYERNET_API std::uint64_t allocation_count() noexcept;

struct Node;

// The common head of tensors and symbols. Two Values are the same value exactly when they point to one body.
struct LAYERNET_API ValueBody {
  enum class Kind : std::uint8_t { tensor, symbol };
  std::atomic<std::int32_t> refs{0};
  const Kind kind;
  const Spec spec;
  static void destroy(ValueBody* body) noexcept;

 protected:
  ValueBody(Kind k, Spec s) : kind(k), spec(std::move(s)) {}
  ~ValueBody() = default;
};

struct TensorBody final : ValueBody {
  TensorBody(Spec s, Ref<Storage> st, void* d)
      : ValueBody(Kind::tensor, std::move(s)), storage(std::move(st)), data(d) {}
  const Ref<Storage> storage;
  void* const data;
};

// Output `output` of a node (graph.h).
struct LAYERNET_API SymbolBody final : ValueBody {
  SymbolBody(Spec s, Ref<Node> n, int out);
  ~SymbolBody();
  const Ref<Node> node;
  const int output;
};

class LAYERNET_API Tensor {
 public:
  Tensor() noexcept = default;
  // Fresh storage, contents undefined. Every dimension of the spec must be fixed.
  static Tensor empty(Spec spec);
  static Tensor zeros(Spec spec);
  // 0-d, converted to the type.
  static Tensor scalar(double value, DType dtype);
  static Tensor from_ints(const std::int64_t* values, std::size_t n);  // int64 vector
  // Copies `bytes(spec)` bytes from `data`.
  static Tensor copy_of(Spec spec, const void* data);
  // Shares `storage` from `data` on.
  static Tensor share(Spec spec, Ref<Storage> storage, void* data);
  explicit Tensor(Ref<ValueBody> body) noexcept : body_(std::move(body)) {}

  explicit operator bool() const noexcept { return static_cast<bool>(body_); }
  const Spec& spec() const noexcept { return body_->spec; }
  const Shape& shape() const noexcept { return body_->spec.shape; }
  DType dtype() const noexcept { return body_->spec.dtype; }
  std::size_t rank() const noexcept { return body_->spec.shape.size(); }
  std::int64_t size() const noexcept { return fixed_count(shape()); }
  std::size_t bytes() const noexcept { return static_cast<std::size_t>(size()) * item_size(dtype()); }
  const void* data() const noexcept { return tensor_body()->data; }
  template <class T>
  const T* as() const noexcept {
    return static_cast<const T*>(data());
  }
  // For whoever has just made the tensor and still holds it alone.
  void* mutable_data() const noexcept { return tensor_body()->data; }
  const Ref<Storage>& storage() const noexcept { return tensor_body()->storage; }
  // The same elements under another shape of equal count; shares the storage.
  Tensor view(Shape shape) const;
  // The same numbers in another type (as the op cast does it); itself when it is of that type already.
  Tensor converted(DType dtype) const;
  // Nobody else refers to this value or to its storage.
  bool unowned_elsewhere() const noexcept { return body_.unique() && storage().unique(); }
  const Ref<ValueBody>& body() const noexcept { return body_; }

 private:
  TensorBody* tensor_body() const noexcept { return static_cast<TensorBody*>(body_.get()); }
  Ref<ValueBody> body_;
};

class LAYERNET_API Value {
 public:
  Value() noexcept = default;
  Value(Tensor t) noexcept : body_(t.body()) {}  // NOLINT: a tensor is a value
  explicit Value(Ref<ValueBody> body) noexcept : body_(std::move(body)) {}

  explicit operator bool() const noexcept { return static_cast<bool>(body_); }
  bool is_tensor() const noexcept { return body_->kind == ValueBody::Kind::tensor; }
  bool is_symbol() const noexcept { return body_->kind == ValueBody::Kind::symbol; }
  Tensor tensor() const noexcept { return Tensor(body_); }  // precondition: is_tensor()
  const SymbolBody& symbol() const noexcept { return static_cast<const SymbolBody&>(*body_); }
  const Spec& spec() const noexcept { return body_->spec; }
  const Shape& shape() const noexcept { return body_->spec.shape; }
  DType dtype() const noexcept { return body_->spec.dtype; }
  std::size_t rank() const noexcept { return body_->spec.shape.size(); }
  const Ref<ValueBody>& body() const noexcept { return body_; }
  bool unique() const noexcept { return body_.unique(); }
  friend bool operator==(const Value& a, const Value& b) noexcept { return a.body_ == b.body_; }

 private:
  Ref<ValueBody> body_;
};
using Values = SmallVector<Value, 4>;

class LAYERNET_API Variable : public std::enable_shared_from_this<Variable> {
 public:
  explicit Variable(Tensor initial, bool trainable = true);
  virtual ~Variable();
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

  const Spec& spec() const noexcept { return spec_; }
  bool trainable() const noexcept { return trainable_; }
  // Raised by one with every update.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
  // The present value. Holding it makes the next update write to fresh storage.
  Tensor value() const;
  // Replaces the value; shape and dtype must be the variable's.
  void assign(const Tensor& value);

  // Exclusive access for an update: the lock is held and the tensor moved out until put back.
  class LAYERNET_API Update {
   public:
    explicit Update(Variable& v);
    ~Update();
    Update(Update&& o) noexcept : variable_(std::exchange(o.variable_, nullptr)), current_(std::move(o.current_)) {}
    const Tensor& current() const noexcept { return current_; }
    // Whether nobody else holds the current value and its memory, so that the new one may be written there.
    bool in_place() const noexcept;
    // What to write the new value to: the current tensor if in_place(), else a fresh one.
    Tensor target() const;
    void finish(Tensor value) noexcept;
    void finish_in_place() noexcept;

   private:
    Variable* variable_;
    Tensor current_;
  };

 private:
  mutable std::mutex mutex_;
  Tensor value_;
  const Spec spec_;
  const bool trainable_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace layernet
