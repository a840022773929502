// Reading a file at positions, and putting a file in place in one step.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layernet/export.h"

namespace layernet {

// Bytes to read from: an open file or memory. Reads name a position, so threads and forked processes may share one.
class ByteSource {
 public:
  // Throws IoError when the file cannot be opened.
  static ByteSource open(const std::string& path);
  // Keeps a copy of the bytes.
  static ByteSource copy_of(const void* data, std::size_t size);

  ByteSource(ByteSource&& other) noexcept;
  ByteSource& operator=(ByteSource&&) = delete;
  ~ByteSource();

  // The path, or "bytes": what errors begin with.
  const std::string& name() const noexcept { return name_; }
  std::uint64_t size() const noexcept { return size_; }
  // Throws IoError, or FormatError when the file has become shorter.
  void read_at(std::uint64_t position, void* target, std::size_t count) const;
  // The file is as it was when it was opened.
  bool unchanged() const noexcept;

 private:
  ByteSource() = default;
  std::string name_;
  std::string bytes_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t modified_s_ = 0, modified_ns_ = 0;
};

// Writes a file of a folder under a temporary name, flushes it to the disk, gives it its name and flushes the folder.
// Until the last step nothing is seen of it; unless commit() is called, nothing stays of it, but if the process is
// killed: then the next AtomicFile in that folder, of any process, removes what was left. Errors are IoError.
class LAYERNET_API AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();
  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  // Once, as the last call.
  void commit();

 private:
  [[noreturn]] void fail(int number) const;
  std::string path_, folder_, temporary_;
  int descriptor_ = -1;
};

}  // namespace layernet
