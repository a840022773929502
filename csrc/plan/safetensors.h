// Safetensors files: 8 bytes with the header's length, the header (JSON: name to dtype, shape and byte range), the
// tensors' bytes. Reference: https://huggingface.co/docs/safetensors/index#format
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/file.h"
#include "layernet/tensor.h"

namespace layernet {

// The header of a file, every size of it checked against the file: tensors cover the data exactly, without overlap or
// gap. Nothing but the header is read before read() is called.
class SafetensorsReader {
 public:
  // Throws FormatError naming what is wrong and where. `source` outlives the reader.
  explicit SafetensorsReader(const ByteSource& source);

  const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }
  struct Entry {
    Spec spec;
    std::uint64_t begin = 0, end = 0;  // from the start of the data
  };
  const std::map<std::string, Entry>& entries() const noexcept { return entries_; }
  std::uint64_t data_bytes() const noexcept { return source_.size() - data_; }
  // The tensor in memory of its own. Precondition: the name is among entries().
  Tensor read(const std::string& name) const;

 private:
  void check_cover() const;
  const ByteSource& source_;
  std::uint64_t data_ = 0;  // where the tensors begin
  std::map<std::string, std::string> metadata_;
  std::map<std::string, Entry> entries_;
};

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// The parts of a file, to be written one after the other: header first. Tensors go by falling item size, so that each
// lies aligned to its own size, then by name: the same content gives the same bytes.
struct SafetensorsParts {
  std::string head;
  std::vector<Tensor> tensors;
};
SafetensorsParts safetensors_parts(std::vector<NamedTensor> tensors,
                                   const std::map<std::string, std::string>& metadata);

}  // namespace layernet
