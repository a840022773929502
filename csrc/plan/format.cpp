// Predictor files: safetensors outside, the graph's JSON in their metadata.
#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "graph/emitter.h"
#include "layernet/predictor_file.h"
#include "plan/graph_json.h"
#include "plan/safetensors.h"

namespace layernet {

namespace {

constexpr const char* kMetadataKey = "layernet";

// The same graph on variables of its own, which hold the values of now and know their names.
Graph frozen(const Graph& graph, const PredictorFile::Names& names) {
  std::map<const Variable*, std::string> name_of_variable(names.variables.begin(), names.variables.end());
  std::map<std::pair<const Node*, int>, Value> values;
  std::map<const Variable*, Value> variables;
  std::vector<Value> inputs;
  for (const Value& v : graph.inputs()) {
    const SymbolBody& symbol = v.symbol();
    const bool named = names.inputs.empty() || !symbol.node->name.empty();
    inputs.push_back(placeholder(symbol.spec, named ? symbol.node->name : names.inputs.at(inputs.size())));
    values.emplace(std::make_pair(symbol.node.get(), symbol.output), inputs.back());
  }
  const auto moved = [&](const Value& v) {
    return v.is_symbol() ? values.at({v.symbol().node.get(), v.symbol().output}) : v;
  };
  for (const Ref<Node>& node : graph.nodes()) {
    if (node->kind == Node::Kind::variable) {
      const Variable* variable = node->targets[0].get();
      auto found = variables.find(variable);
      if (found == variables.end()) {
        const Value copy = read_symbolic(std::make_shared<Variable>(variable->value(), variable->trainable()));
        const auto name = name_of_variable.find(variable);
        copy.symbol().node->name = name != name_of_variable.end() ? name->second : node->name;
        found = variables.emplace(variable, copy).first;
      }
      values.emplace(std::make_pair(node.get(), 0), found->second);
      continue;
    }
    if (!node->targets.empty())
      throw GraphError(join("plan: expected a computation that changes no variable, got the op ", node->op->name,
                            ". Trace the network with training=False."));
    Values in;
    for (const Value& v : node->inputs) in.push_back(moved(v));
    const Values out = emit_symbolic(*node->op, node->attributes.get(), std::move(in), Targets());
    for (std::size_t i = 0; i < out.size(); ++i)
      values.emplace(std::make_pair(node.get(), static_cast<int>(i)), out[i]);
  }
  std::vector<Value> outputs;
  for (const Value& v : graph.outputs()) outputs.push_back(moved(v));
  return Graph(std::move(inputs), std::move(outputs));
}

}  // namespace

class PredictorFile::Content {
 public:
  virtual ~Content() = default;
  virtual Graph graph() const = 0;
  virtual void write(const std::function<void(const void*, std::size_t)>& put) const = 0;
  GraphExtras extras;
};

namespace {

class GraphContent final : public PredictorFile::Content {
 public:
  GraphContent(const Graph& graph, const PredictorFile::Names& names, const std::string& structure)
      : graph_(frozen(graph, checked(graph, names))) {
    for (const Value& v : graph_.inputs()) extras.input_names.push_back(v.symbol().node->name);
    extras.outputs = graph.outputs().size();
    extras.output_names = names.outputs;
    extras.structure = structure;
  }
  Graph graph() const override { return graph_; }
  void write(const std::function<void(const void*, std::size_t)>& put) const override {
    const GraphJson json = graph_to_json(graph_, extras);
    std::vector<NamedTensor> tensors;
    for (const auto& [name, tensor] : json.tensors) tensors.push_back(NamedTensor{name, tensor});
    const SafetensorsParts parts = safetensors_parts(std::move(tensors), {{kMetadataKey, json.text}});
    put(parts.head.data(), parts.head.size());
    for (const Tensor& t : parts.tensors) put(t.data(), t.bytes());
  }

 private:
  static const PredictorFile::Names& checked(const Graph& graph, const PredictorFile::Names& names) {
    check_count("inputs", names.inputs.size(), graph.inputs().size());
    check_count("outputs", names.outputs.size(), graph.outputs().size());
    return names;
  }
  static void check_count(const char* what, std::size_t names, std::size_t count) {
    if (names != 0 && names != count)
      throw InvalidArgumentError(
          join("predictor file: expected a name for each of ", count, " ", what, ", got ", names, "."));
  }
  const Graph graph_;
};

class FileContent final : public PredictorFile::Content {
 public:
  explicit FileContent(ByteSource source)
      : source_(std::move(source)), reader_(source_), document_(description(reader_, source_)) {
    extras = read_graph_extras(document_);
  }

  Graph graph() const override {
    GraphTensors tensors;
    tensors.has = [this](const std::string& name) { return reader_.entries().count(name) != 0; };
    tensors.read = [this](const std::string& name) { return reader_.read(name); };
    tensors.bytes = reader_.data_bytes();
    std::vector<std::string> used;
    Graph graph = graph_from_json(document_, tensors, &used);
    if (used.size() != reader_.entries().size())
      for (const auto& item : reader_.entries())
        if (std::find(used.begin(), used.end(), item.first) == used.end())
          throw FormatError(join(source_.name(), ": expected tensors that the graph reads, got '",
                                 item.first.substr(0, 60), "' too."));
    return graph;
  }

  void write(const std::function<void(const void*, std::size_t)>& put) const override {
    if (!source_.unchanged())
      throw FormatError(
          join(source_.name(), ": expected the file as it was when it was loaded, but it has been written to since."));
    std::vector<char> block(std::size_t{1} << 20);
    for (std::uint64_t at = 0; at < source_.size();) {
      const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), source_.size() - at));
      source_.read_at(at, block.data(), count);
      put(block.data(), count);
      at += count;
    }
  }

 private:
  static JsonDocument description(const SafetensorsReader& reader, const ByteSource& source) {
    const auto found = reader.metadata().find(kMetadataKey);
    if (found == reader.metadata().end())
      throw FormatError(join(source.name(), ": expected a predictor file, got a safetensors file without '",
                             kMetadataKey, "' in its __metadata__."));
    return JsonDocument(found->second, source.name() + ": graph");
  }

  const ByteSource source_;
  const SafetensorsReader reader_;
  const JsonDocument document_;
};

}  // namespace

PredictorFile::PredictorFile(std::shared_ptr<const Content> content) noexcept : content_(std::move(content)) {}

PredictorFile PredictorFile::of(const Graph& graph, const Names& names, const std::string& structure, DType weights) {
  const JsonDocument checked(structure, "structure");
  const auto content = std::make_shared<GraphContent>(graph, names, structure);
  if (weights == DType::float32) return PredictorFile(content);
  // Rounded weights are those of the file, in whatever way a plan comes to them.
  content->extras.weights = weights;
  const std::string rounded = PredictorFile(content).bytes();
  return parse(rounded.data(), rounded.size());
}

PredictorFile PredictorFile::open(const std::string& path) {
  return PredictorFile(std::make_shared<FileContent>(ByteSource::open(path)));
}

PredictorFile PredictorFile::parse(const void* data, std::size_t size) {
  return PredictorFile(std::make_shared<FileContent>(ByteSource::copy_of(data, size)));
}

Graph PredictorFile::graph() const {
  return content_->graph();
}
const std::vector<std::string>& PredictorFile::input_names() const noexcept {
  return content_->extras.input_names;
}
std::size_t PredictorFile::output_count() const noexcept {
  return content_->extras.outputs;
}
const std::string& PredictorFile::structure() const noexcept {
  return content_->extras.structure;
}
DType PredictorFile::weights() const noexcept {
  return content_->extras.weights;
}
const std::vector<std::string>& PredictorFile::output_names() const noexcept {
  return content_->extras.output_names;
}

void PredictorFile::save(const std::string& path) const {
  AtomicFile file(path);
  content_->write([&](const void* data, std::size_t size) { file.write(data, size); });
  file.commit();
}

std::string PredictorFile::bytes() const {
  std::string all;
  content_->write([&](const void* data, std::size_t size) { all.append(static_cast<const char*>(data), size); });
  return all;
}

std::shared_ptr<const Plan> load_plan(const PredictorFile& file) {
  const Graph graph = file.graph();
  try {
    return Plan::build(graph, file.weights());
  } catch (const FormatError&) {
    throw;
  } catch (const Error& e) {
    throw FormatError(join("predictor file: ", e.what()));
  }
}

std::shared_ptr<const Plan> load_plan(const std::string& path) {
  return load_plan(PredictorFile::open(path));
}

}  // namespace layernet
