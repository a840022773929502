// Exceptions of the library. Thrown while shapes are inferred, ops are prepared and files are loaded; running never
// throws. Language bindings choose their own class by code(), never by C++ type.
#pragma once

#include <exception>
#include <string>

#include "layernet/export.h"

namespace layernet {

enum class ErrorCode : int {
  invalid_argument = 1,
  shape = 2,
  dtype = 3,
  graph = 4,
  format = 5,
  not_found = 6,
  failed_precondition = 7,
  io = 8,
};

class LAYERNET_API Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message);
  ~Error() override;
  const char* what() const noexcept override { return message_.c_str(); }
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
  std::string message_;
};

// Sizes that do not fit each other, or an axis out of range.
class LAYERNET_API ShapeError : public Error {
 public:
  explicit ShapeError(std::string message);
  ~ShapeError() override;
};
// An element type that the op does not take, or types that should be equal.
class LAYERNET_API DTypeError : public Error {
 public:
  explicit DTypeError(std::string message);
  ~DTypeError() override;
};
// A graph that cannot be built or compiled: unknown rank, data-dependent shape, missing input, cycle.
class LAYERNET_API GraphError : public Error {
 public:
  explicit GraphError(std::string message);
  ~GraphError() override;
};
// A file that is damaged, truncated, of another kind or of a newer version.
class LAYERNET_API FormatError : public Error {
 public:
  explicit FormatError(std::string message);
  ~FormatError() override;
};
// An attribute out of its range.
class LAYERNET_API InvalidArgumentError : public Error {
 public:
  explicit InvalidArgumentError(std::string message);
  ~InvalidArgumentError() override;
};

// A file that cannot be opened, read or written.
class LAYERNET_API IoError : public Error {
 public:
  IoError(int number, const std::string& path);
  ~IoError() override;
  int number() const noexcept { return number_; }  // errno
  const std::string& path() const noexcept { return path_; }

 private:
  int number_;
  std::string path_;
};

}  // namespace layernet
