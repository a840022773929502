// Exceptions and the sentences in them.
#include "core/error.h"

#include <cstdio>
#include <system_error>

namespace layernet {

Error::Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}
Error::~Error() = default;
ShapeError::ShapeError(std::string m) : Error(ErrorCode::shape, std::move(m)) {}
ShapeError::~ShapeError() = default;
DTypeError::DTypeError(std::string m) : Error(ErrorCode::dtype, std::move(m)) {}
DTypeError::~DTypeError() = default;
GraphError::GraphError(std::string m) : Error(ErrorCode::graph, std::move(m)) {}
GraphError::~GraphError() = default;
FormatError::FormatError(std::string m) : Error(ErrorCode::format, std::move(m)) {}
FormatError::~FormatError() = default;
InvalidArgumentError::InvalidArgumentError(std::string m) : Error(ErrorCode::invalid_argument, std::move(m)) {}
InvalidArgumentError::~InvalidArgumentError() = default;
IoError::IoError(int number, const std::string& path)
    : Error(ErrorCode::io, path + ": " + std::generic_category().message(number) + "."), number_(number), path_(path) {}
IoError::~IoError() = default;

std::string text(double v) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.9g", v);
  return buffer;
}

std::string text(const Ints& v) {
  std::string s = "[";
  for (std::size_t i = 0; i < v.size(); ++i) s += (i ? ", " : "") + std::to_string(v[i]);
  return s + "]";
}

void fail_shape(const char* who, const std::string& expected, const std::string& got) {
  throw ShapeError(std::string(who) + ": expected " + expected + ", got " + got + ".");
}

void fail_dtype(const char* who, const std::string& expected, const std::string& got) {
  throw DTypeError(std::string(who) + ": expected " + expected + ", got " + got + ". Convert with cast.");
}

}  // namespace layernet
