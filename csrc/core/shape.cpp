// Arithmetic of dimensions, and how types and shapes are written.
#include "layernet/shape.h"

#include "core/error.h"

namespace layernet {

namespace {

constexpr const char* kNames[kDTypeCount] = {"float32", "float64", "float16", "bfloat16", "int8",
                                             "uint8",   "int32",   "int64",   "bool"};

std::int64_t checked(bool overflow, std::int64_t value, const char* who) {
  if (overflow) throw ShapeError(join(who, ": the number of elements does not fit 63 bits. Use smaller sizes."));
  return value;
}

[[noreturn]] void not_representable(const char* who, const char* operation, Dim a, Dim b) {
  throw GraphError(join(who, ": expected sizes that stay integers or multiples of the batch symbol N, got ", a, " ",
                        operation, " ", b, ". Fix the batch size with Input(..., batch_size=n)."));
}

}  // namespace

const char* name_of(DType t) noexcept {
  return kNames[static_cast<int>(t)];
}

bool dtype_from_name(std::string_view name, DType* out) noexcept {
  for (int i = 0; i < kDTypeCount; ++i)
    if (name == kNames[i]) {
      *out = static_cast<DType>(i);
      return true;
    }
  return false;
}

Dim add(Dim a, Dim b, const char* who) {
  if (a.is_unknown() || b.is_unknown()) return Dim::unknown();
  if (a == Dim(0)) return b;
  if (b == Dim(0)) return a;
  if (a.is_fixed() != b.is_fixed()) not_representable(who, "+", a, b);
  std::int64_t sum = 0;
  const bool overflow = __builtin_add_overflow(a.code(), b.code(), &sum) || sum == Dim::unknown().code();
  return Dim::from_code(checked(overflow, sum, who));
}

Dim multiply(Dim a, Dim b, const char* who) {
  if (a == Dim(0) || b == Dim(0)) return Dim(0);
  if (a.is_unknown() || b.is_unknown()) return Dim::unknown();
  if (a.is_batch() && b.is_batch()) not_representable(who, "*", a, b);
  std::int64_t product = 0;
  const bool overflow = __builtin_mul_overflow(a.code(), b.code(), &product) || product == Dim::unknown().code();
  return Dim::from_code(checked(overflow, product, who));
}

Dim divide_exact(Dim a, Dim b, const char* who) {
  if (a.is_unknown() || b.is_unknown()) return Dim::unknown();
  if (b.is_batch() && a.is_batch() && a.batch_multiple() % b.batch_multiple() == 0)
    return Dim(a.batch_multiple() / b.batch_multiple());
  if (b.is_batch()) not_representable(who, "/", a, b);
  if (b == Dim(0)) return Dim(0);
  const std::int64_t code = a.is_fixed() ? a.value() : a.batch_multiple();
  if (code % b.value() != 0) {
    if (a.is_batch()) not_representable(who, "/", a, b);
    throw ShapeError(join(who, ": expected a number of elements divisible by ", b, ", got ", a, "."));
  }
  return a.is_fixed() ? Dim(code / b.value()) : Dim::batch(code / b.value());
}

Dim element_count(const Shape& shape, const char* who) {
  if (shape.size() > kMaxRank)
    throw ShapeError(join(who, ": expected at most ", kMaxRank, " axes, got ", shape.size(), "."));
  Dim n = 1;
  for (const Dim d : shape)  // a zero anywhere makes the whole empty, whatever the other sizes
    if (d == Dim(0)) return Dim(0);
  for (const Dim d : shape) n = multiply(n, d, who);
  return n;
}

bool all_fixed(const Shape& shape) noexcept {
  for (const Dim d : shape)
    if (!d.is_fixed()) return false;
  return true;
}

std::string to_string(Dim dim) {
  if (dim.is_fixed()) return std::to_string(dim.value());
  if (dim.is_unknown()) return "?";
  return dim.batch_multiple() == 1 ? "N" : std::to_string(dim.batch_multiple()) + "N";
}

std::string to_string(const Shape& shape) {
  std::string s = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) s += (i ? ", " : "") + to_string(shape[i]);
  return s + "]";
}

std::string to_string(const Spec& spec) {
  return name_of(spec.dtype) + to_string(spec.shape);
}

}  // namespace layernet
