// A graph as JSON: the description that a predictor file carries beside its tensors.
//
//   {"version": 1, "inputs": [{"name": "x", "dtype": "float32", "shape": ["N", 16]}],
//    "nodes": [{"op": "dense", "inputs": [0, "net/dense/kernel"], "attributes": {"activation": "tanh"}}],
//    "outputs": [1], "output_names": ["y"], "structure": ...}
//
// "weights": {"dtype": "int8", "variables": ["net/dense/kernel"]} (version 2): the file holds these variables in that
// type, int8 ones together with "<name>/scale"; the graph computes with the float32 weights that they stand for, and
// plans keep theirs in that type.
//
// Values have numbers in order of appearance, inputs first, then the outputs of each node; a string is a tensor of the
// file. Sizes are integers, "N", "3N" (multiples of the batch) or, in attributes only, "?" (to be inferred).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "layernet/graph.h"
#include "plan/json.h"

namespace layernet {

constexpr int kGraphVersion = 2;

struct GraphJson {
  std::string text;
  std::vector<std::pair<std::string, Tensor>> tensors;
};
// What a description has beside the graph.
struct GraphExtras {
  std::vector<std::string> input_names;
  std::size_t outputs = 0;                // how many
  std::vector<std::string> output_names;  // of all outputs, or none
  std::string structure = "null";         // JSON of the caller's own
  DType weights = DType::float32;
};
// Variables by the names of their nodes (made distinct), constants as "constant/<i>".
GraphJson graph_to_json(const Graph& graph, const GraphExtras& extras);

// The tensors of the file, for graph_from_json.
struct GraphTensors {
  std::function<bool(const std::string& name)> has;
  std::function<Tensor(const std::string& name)> read;  // called at most once for each name
  std::uint64_t bytes = 0;                              // of all of them
};
// Tensors whose name begins with "constant/" become constants, the others variables of that name. Throws FormatError.
// `used` gets the names of the tensors that the graph reads.
Graph graph_from_json(const JsonDocument& document, const GraphTensors& tensors, std::vector<std::string>* used);

// Without the graph.
GraphExtras read_graph_extras(const JsonDocument& document);

}  // namespace layernet
