// Predictor files: a graph before the passes together with the values of its variables, as a safetensors file. What
// runs is compiled anew by whoever loads one, so a file made on one CPU is fast on another.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layernet/export.h"
#include "layernet/graph.h"
#include "layernet/plan.h"

namespace layernet {

// A predictor file in memory or on the disk. Immutable and cheap to copy; threads may share it.
//
// Reading trusts nothing: whatever is wrong with the content is a FormatError that says what and where, and memory is
// taken only as far as the size of the file justifies it. Opening and writing throw IoError.
class LAYERNET_API PredictorFile {
 public:
  struct Names {
    std::vector<std::pair<const Variable*, std::string>> variables;  // those without a name here are called "variable"
    std::vector<std::string> inputs, outputs;  // as many as the graph has, or none; an input's own name goes first
  };
  // The graph with the values that its variables have now; updates made later do not reach it. `structure` is JSON of
  // the caller's own, "null" without one. Throws GraphError when the graph updates variables. With `weights` bfloat16
  // or int8, the float32 weights of matrix products are rounded to that type (Plan::build).
  static PredictorFile of(const Graph& graph, const Names& names = {}, const std::string& structure = "null",
                          DType weights = DType::float32);
  // Checks the header. The file stays open, so that graph() and save() see the same one even when another takes its
  // place.
  static PredictorFile open(const std::string& path);
  static PredictorFile parse(const void* data, std::size_t size);

  // The graph, its variables read anew: every call gives a copy of its own when this is a file.
  Graph graph() const;
  const std::vector<std::string>& input_names() const noexcept;
  std::size_t output_count() const noexcept;
  const std::vector<std::string>& output_names() const noexcept;  // of all outputs, or none
  const std::string& structure() const noexcept;
  DType weights() const noexcept;
  // Writes the file in one step: readers see the old one or the new one, and an error leaves the old one.
  void save(const std::string& path) const;
  // The content of the file.
  std::string bytes() const;

  class Content;

 private:
  explicit PredictorFile(std::shared_ptr<const Content> content) noexcept;
  std::shared_ptr<const Content> content_;
};

// The plan of a predictor file. Every error in the content is a FormatError, also one that compiling finds.
LAYERNET_API std::shared_ptr<const Plan> load_plan(const PredictorFile& file);
LAYERNET_API std::shared_ptr<const Plan> load_plan(const std::string& path);

}  // namespace layernet
