// Shapes. A dimension is an integer, c*N with the one batch symbol N of a graph, or unknown (symbolic values only; a
// plan refuses it). Size arithmetic is checked: what does not fit 63 bits, or is not of these forms, is an error.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "layernet/dtype.h"
#include "layernet/export.h"
#include "layernet/small_vector.h"

namespace layernet {

class LAYERNET_API Dim {
 public:
  Dim() noexcept = default;
  Dim(std::int64_t fixed) noexcept : code_(fixed) {}  // NOLINT: an integer is a dimension
  static Dim batch(std::int64_t multiple = 1) noexcept { return from_code(-multiple); }
  static Dim unknown() noexcept { return from_code(kUnknown); }
  static Dim from_code(std::int64_t code) noexcept {
    Dim d;
    d.code_ = code;
    return d;
  }

  bool is_fixed() const noexcept { return code_ >= 0; }
  bool is_batch() const noexcept { return code_ < 0 && code_ != kUnknown; }
  bool is_unknown() const noexcept { return code_ == kUnknown; }
  std::int64_t value() const noexcept { return code_; }            // of a fixed dimension
  std::int64_t batch_multiple() const noexcept { return -code_; }  // c of c*N
  std::int64_t code() const noexcept {
    return code_;
  }  // >= 0 fixed, -c for c*N, INT64_MIN unknown: how it is stored and saved
  // The size when the batch symbol is n. Precondition: not unknown.
  std::int64_t at(std::int64_t n) const noexcept { return code_ >= 0 ? code_ : -code_ * n; }

  friend bool operator==(Dim a, Dim b) noexcept { return a.code_ == b.code_; }
  friend bool operator!=(Dim a, Dim b) noexcept { return a.code_ != b.code_; }

 private:
  static constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::min();
  std::int64_t code_ = 0;
};

// a + b and a * b; the GraphError or ShapeError names `who`.
LAYERNET_API Dim add(Dim a, Dim b, const char* who);
LAYERNET_API Dim multiply(Dim a, Dim b, const char* who);
// a / b when b divides a: integers, cN/k, cN/(kN). Unknown when either is.
LAYERNET_API Dim divide_exact(Dim a, Dim b, const char* who);

// Axes of any value at most; more is a ShapeError.
constexpr std::size_t kMaxRank = 12;

using Shape = SmallVector<Dim, 6>;
using Ints = SmallVector<std::int64_t, 6>;

// Number of elements.
LAYERNET_API Dim element_count(const Shape& shape, const char* who);
// The same for a shape of integers. Precondition: every dimension is fixed and the product was checked before.
inline std::int64_t fixed_count(const Shape& shape) noexcept {
  std::int64_t n = 1;
  for (const Dim d : shape) n *= d.value();
  return n;
}
LAYERNET_API bool all_fixed(const Shape& shape) noexcept;
// "[32, 100]", "[N, 3]", "[2N, ?]".
LAYERNET_API std::string to_string(const Shape& shape);
LAYERNET_API std::string to_string(Dim dim);

struct Spec {
  DType dtype = DType::float32;
  Shape shape;
  Spec() = default;
  Spec(DType t, Shape s) : dtype(t), shape(std::move(s)) {}
  friend bool operator==(const Spec& a, const Spec& b) { return a.dtype == b.dtype && a.shape == b.shape; }
};
using Specs = SmallVector<Spec, 4>;
LAYERNET_API std::string to_string(const Spec& spec);

}  // namespace layernet
