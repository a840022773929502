// Builds the sentences of errors, so that the same check reads the same everywhere:
// "who: what was expected, what came. What to do."
#pragma once

#include <string>

#include "layernet/error.h"
#include "layernet/shape.h"

namespace layernet {

inline std::string text(const std::string& s) {
  return s;
}
inline std::string text(const char* s) {
  return s;
}
inline std::string text(DType t) {
  return name_of(t);
}
inline std::string text(Dim d) {
  return to_string(d);
}
inline std::string text(const Shape& s) {
  return to_string(s);
}
inline std::string text(const Spec& s) {
  return to_string(s);
}
inline std::string text(int v) {
  return std::to_string(v);
}
inline std::string text(long v) {
  return std::to_string(v);
}
inline std::string text(long long v) {
  return std::to_string(v);
}
inline std::string text(unsigned long v) {
  return std::to_string(v);
}
inline std::string text(unsigned long long v) {
  return std::to_string(v);
}
std::string text(double v);
std::string text(const Ints& v);

// join("a", 3, shape) == "a3[2, 3]"
template <class... Parts>
std::string join(const Parts&... parts) {
  std::string s;
  (s.append(text(parts)), ...);
  return s;
}

[[noreturn]] void fail_shape(const char* who, const std::string& expected, const std::string& got);
[[noreturn]] void fail_dtype(const char* who, const std::string& expected, const std::string& got);

}  // namespace layernet
