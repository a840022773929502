// Graphs to JSON and back. Reading applies every op to symbols again, so each op's own checks hold for files too.
#include "plan/graph_json.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/small_weights.h"
#include "graph/emitter.h"

namespace layernet {

namespace {

constexpr const char* kConstantPrefix = "constant/";
// No network comes near these; a file beyond them is damaged or hostile.
constexpr std::size_t kMaxNodes = std::size_t{1} << 16;
constexpr std::size_t kMaxPorts = 1024;
constexpr std::size_t kMaxAttributeItems = std::size_t{1} << 16;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 36;  // of one value, for each row of the batch
// Values that do not depend on an input are computed while a file is loaded. All of them together may take this times
// the bytes of the file's tensors, plus a little: a broadcast of one number must not fill the memory.
constexpr std::uint64_t kMaxConstantGrowth = 8;
constexpr std::uint64_t kFreeConstantBytes = std::uint64_t{16} << 20;

// ---- writing
// -------------------------------------------------------------------------------------------------------------

std::string dims_json(const Shape& shape) {
  std::string s = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::string dim = to_string(shape[i]);
    s += (i ? "," : "") + (shape[i].is_fixed() ? dim : "\"" + dim + "\"");
  }
  return s + "]";
}

class AttributeWriter final : public FieldVisitor {
 public:
  std::string text = "{";
  void operator()(const char* name, bool& v) override { put(name, v ? "true" : "false"); }
  void operator()(const char* name, std::int64_t& v) override { put(name, std::to_string(v)); }
  void operator()(const char* name, double& v) override { put(name, json_number(v)); }
  void operator()(const char* name, DType& v) override { put(name, json_string(name_of(v))); }
  void operator()(const char* name, Ints& v) override {
    std::string s = "[";
    for (std::size_t i = 0; i < v.size(); ++i) s += (i ? "," : "") + std::to_string(v[i]);
    put(name, s + "]");
  }
  void operator()(const char* name, Shape& v) override { put(name, dims_json(v)); }
  void choice(const char* name, int& v, const char* const* words, int) override { put(name, json_string(words[v])); }

 private:
  void put(const char* name, const std::string& value) {
    text += (text.size() > 1 ? "," : "") + json_string(name) + ":" + value;
  }
};

class Writer {
 public:
  GraphJson write(const Graph& graph, const GraphExtras& extras) {
    find_small(graph, extras.weights);
    // The oldest version that reads it.
    std::string s = join("{\"version\":", extras.weights == DType::float32 ? 1 : kGraphVersion, ",\"inputs\":[");
    for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
      const SymbolBody& symbol = graph.inputs()[i].symbol();
      numbers_.emplace(std::make_pair(symbol.node.get(), symbol.output), next_++);
      s += join(i ? "," : "", "{\"name\":", json_string(symbol.node->name), ",\"dtype\":\"", symbol.spec.dtype,
                "\",\"shape\":", dims_json(symbol.spec.shape), "}");
    }
    s += "],\"nodes\":[";
    bool first = true;
    for (const Ref<Node>& node : graph.nodes()) {
      if (node->kind == Node::Kind::variable) {
        add_variable(*node);
        continue;
      }
      s += (first ? "" : ",") + node_json(*node);
      first = false;
    }
    s += "],\"outputs\":[";
    for (std::size_t i = 0; i < graph.outputs().size(); ++i) s += (i ? "," : "") + refer(graph.outputs()[i]);
    s += "],\"output_names\":[";
    for (std::size_t i = 0; i < extras.output_names.size(); ++i)
      s += (i ? "," : "") + json_string(extras.output_names[i]);
    s += "],\"structure\":" + extras.structure;
    if (extras.weights != DType::float32) {
      s += join(",\"weights\":{\"dtype\":\"", extras.weights, "\",\"variables\":[");
      for (std::size_t i = 0; i < small_names_.size(); ++i) s += (i ? "," : "") + json_string(small_names_[i]);
      s += "]}";
    }
    s += "}";
    result_.text = std::move(s);
    return std::move(result_);
  }

 private:
  // The variables that are read as weights only, and where their channels are.
  void find_small(const Graph& graph, DType weights) {
    if (weights == DType::float32) return;
    type_ = weights;
    std::set<const Variable*> others;
    const auto variable_of = [](const Value& v) -> const Variable* {
      if (!v.is_symbol() || v.symbol().node->kind != Node::Kind::variable) return nullptr;
      return v.symbol().node->targets[0].get();
    };
    for (const Ref<Node>& node : graph.nodes())
      for (std::size_t i = 0; node->kind != Node::Kind::variable && i < node->inputs.size(); ++i) {
        const Variable* variable = variable_of(node->inputs[i]);
        if (variable == nullptr) continue;
        const Spec& spec = node->inputs[i].spec();
        const bool good =
            i == 1 && node->op->weight_axis != nullptr && spec.dtype == DType::float32 && spec.shape.size() == 2;
        const std::size_t axis = good ? node->op->weight_axis(node->attributes.get()) : 0;
        if (!good || small_.emplace(variable, axis).first->second != axis) others.insert(variable);
      }
    for (const Value& v : graph.outputs()) others.insert(variable_of(v));
    for (const Variable* variable : others) small_.erase(variable);
  }

  void add_tensor(const std::string& name, const Variable* variable) {
    const auto axis = small_.find(variable);
    const Tensor value = variable->value();
    const std::string scale = name + "/scale";
    if (axis == small_.end() || (type_ == DType::int8 && names_.count(scale) != 0)) {
      result_.tensors.emplace_back(name, value);
      return;
    }
    const SmallWeights small = narrowed(value, type_, axis->second);
    result_.tensors.emplace_back(name, small.values);
    small_names_.push_back(name);
    if (!small.scale) return;
    names_.insert(scale);
    result_.tensors.emplace_back(scale, small.scale);
  }

  std::string distinct(const std::string& wanted) {
    std::string name = wanted.empty() || wanted == "__metadata__" ? "variable" : wanted;
    for (int i = 1; !names_.insert(name).second; ++i) name = join(wanted.empty() ? "variable" : wanted, "_", i);
    return name;
  }

  void add_variable(const Node& node) {
    const Variable* variable = node.targets[0].get();
    auto found = variables_.find(variable);
    if (found == variables_.end()) {
      // A variable of a constant's name would be read back as a constant.
      const bool taken = node.name.compare(0, 9, kConstantPrefix) == 0;
      found = variables_.emplace(variable, distinct(taken ? "variable/" + node.name : node.name)).first;
      add_tensor(found->second, variable);
    }
    references_[&node] = json_string(found->second);
  }

  std::string node_json(const Node& node) {
    std::string s = join("{\"op\":", json_string(node.op->name), ",\"inputs\":[");
    for (std::size_t i = 0; i < node.inputs.size(); ++i) s += (i ? "," : "") + refer(node.inputs[i]);
    AttributeWriter attributes;
    node.op->visit(const_cast<void*>(node.attributes.get()), attributes);  // this visitor only reads
    s += "]";
    if (attributes.text.size() > 1) s += ",\"attributes\":" + attributes.text + "}";
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      numbers_.emplace(std::make_pair(&node, static_cast<int>(i)), next_++);
    return s + "}";
  }

  std::string refer(const Value& v) {
    if (v.is_symbol()) {
      const SymbolBody& symbol = v.symbol();
      const auto found = numbers_.find({symbol.node.get(), symbol.output});
      return found != numbers_.end() ? std::to_string(found->second) : references_.at(symbol.node.get());
    }
    auto found = constants_.find(v.body().get());
    if (found == constants_.end()) {
      std::string name = kConstantPrefix + std::to_string(constants_.size());
      result_.tensors.emplace_back(name, v.tensor());
      found = constants_.emplace(v.body().get(), json_string(name)).first;
    }
    return found->second;
  }

  GraphJson result_;
  int next_ = 0;
  std::map<std::pair<const Node*, int>, int> numbers_;
  std::map<const Node*, std::string> references_;  // of variables
  std::map<const Variable*, std::string> variables_;
  std::map<const ValueBody*, std::string> constants_;
  std::set<std::string> names_;
  DType type_ = DType::float32;
  std::map<const Variable*, std::size_t> small_;  // with the axis of the channels
  std::vector<std::string> small_names_;
};

// ---- reading
// -------------------------------------------------------------------------------------------------------------

Dim dim_from(const JsonValue& value, const std::string& what, bool may_be_unknown) {
  if (value.is_number()) {
    const std::int64_t size = value.integer(what);
    if (size < 0) value.fail(what, "at least 0");
    return Dim(size);
  }
  const std::string s = value.string(what);
  if (may_be_unknown && s == "?") return Dim::unknown();
  std::int64_t multiple = 0;
  std::size_t i = 0;
  while (i < s.size() && s[i] >= '0' && s[i] <= '9' && multiple <= kMaxElements)
    multiple = multiple * 10 + (s[i++] - '0');
  if (i == 0 && s == "N") multiple = 1;
  if (s.size() != i + 1 || s[i] != 'N' || multiple < 1 || multiple > kMaxElements || s[0] == '0')
    value.fail(what, may_be_unknown ? "a size, \"N\", a multiple like \"3N\" or \"?\""
                                    : "a size, \"N\" or a multiple like \"3N\"");
  return Dim::batch(multiple);
}

Shape shape_from(const JsonValue& value, const std::string& what, bool may_be_unknown) {
  const std::vector<JsonValue> items = value.items(what);
  if (items.size() > kMaxRank) value.fail(what, join("a list of at most ", kMaxRank, " sizes"));
  Shape shape;
  for (const JsonValue& item : items) shape.push_back(dim_from(item, what, may_be_unknown));
  return shape;
}

DType dtype_from(const JsonValue& value, const std::string& what) {
  DType t{};
  if (!dtype_from_name(value.string(what), &t)) value.fail(what, "the name of an element type");
  return t;
}

// Sets the fields of an op that the file names; the others keep their defaults.
class AttributeReader final : public FieldVisitor {
 public:
  AttributeReader(std::vector<JsonValue::Member> members, std::string who)
      : members_(std::move(members)), who_(std::move(who)) {
    seen_.assign(members_.size(), 0);
  }
  void operator()(const char* name, bool& v) override {
    if (const JsonValue* j = find(name)) v = j->boolean(what(name));
  }
  void operator()(const char* name, std::int64_t& v) override {
    if (const JsonValue* j = find(name)) v = j->integer(what(name));
  }
  void operator()(const char* name, double& v) override {
    if (const JsonValue* j = find(name)) v = j->number(what(name));
  }
  void operator()(const char* name, DType& v) override {
    if (const JsonValue* j = find(name)) v = dtype_from(*j, what(name));
  }
  void operator()(const char* name, Ints& v) override {
    const JsonValue* j = find(name);
    if (j == nullptr) return;
    const std::vector<JsonValue> items = j->items(what(name));
    if (items.size() > kMaxAttributeItems)
      j->fail(what(name), join("a list of at most ", kMaxAttributeItems, " numbers"));
    v.clear();
    for (const JsonValue& item : items) v.push_back(item.integer(what(name)));
  }
  void operator()(const char* name, Shape& v) override {
    if (const JsonValue* j = find(name)) v = shape_from(*j, what(name), true);
  }
  void choice(const char* name, int& v, const char* const* words, int count) override {
    const JsonValue* j = find(name);
    if (j == nullptr) return;
    const std::string word = j->string(what(name));
    std::string all;
    for (int i = 0; i < count; ++i) {
      if (word == words[i]) {
        v = i;
        return;
      }
      all += (i ? ", " : "") + std::string(words[i]);
    }
    j->fail(what(name), "one of " + all);
  }
  // The name of a member that no field took; empty when there is none.
  std::string unknown() const {
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (seen_[i] == 0) return members_[i].name;
    return "";
  }

 private:
  const JsonValue* find(const char* name) {
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (members_[i].name == name) {
        seen_[i] = 1;
        return &members_[i].value;
      }
    return nullptr;
  }
  std::string what(const char* name) const { return std::string(name) + " of " + who_; }
  std::vector<JsonValue::Member> members_;
  std::string who_;
  std::vector<char> seen_;
};

// The members of an object by name; all must be known.
class Object {
 public:
  Object(const JsonValue& value, std::string what, const std::vector<const char*>& known, const std::string& who)
      : value_(value), what_(std::move(what)), members_(value.members(what_)) {
    for (const JsonValue::Member& m : members_) {
      const bool good = std::any_of(known.begin(), known.end(), [&](const char* k) { return m.name == k; });
      if (!good)
        throw FormatError(join(who, ": expected no member '", m.name.substr(0, 60), "' in ", what_, ", got one."));
    }
  }
  const JsonValue* find(const char* name) const {
    for (const JsonValue::Member& m : members_)
      if (m.name == name) return &m.value;
    return nullptr;
  }
  const JsonValue& at(const char* name) const {
    const JsonValue* found = find(name);
    if (found == nullptr) value_.fail(what_, std::string("an object with '") + name + "'");
    return *found;
  }

 private:
  JsonValue value_;
  std::string what_;
  std::vector<JsonValue::Member> members_;
};

Object root_object(const JsonDocument& document) {
  // The version first: what a newer one has beside is none of our business.
  const JsonValue root = document.root();
  for (const JsonValue::Member& m : root.members("the graph"))
    if (m.name == "version") {
      const std::int64_t version = m.value.integer("version");
      if (version < 1) m.value.fail("version", "at least 1");
      if (version > kGraphVersion)
        throw FormatError(join(document.who(), ": expected a file of version ", kGraphVersion,
                               " or older, got version ", version, ". Update layernet to read it."));
    }
  Object object(root, "the graph", {"version", "inputs", "nodes", "outputs", "output_names", "structure", "weights"},
                document.who());
  object.at("version");
  return object;
}

DType weights_from(const Object& root, const std::string& who) {
  const JsonValue* value = root.find("weights");
  if (value == nullptr) return DType::float32;
  const Object weights(*value, "weights", {"dtype", "variables"}, who);
  const DType type = dtype_from(weights.at("dtype"), "dtype of weights");
  if (type != DType::bfloat16 && type != DType::int8)
    weights.at("dtype").fail("dtype of weights", "\"bfloat16\" or \"int8\"");
  return type;
}

class Reader {
 public:
  Reader(const JsonDocument& document, const GraphTensors& tensors)
      : who_(document.who()), root_(root_object(document)), tensors_(tensors), weights_(weights_from(root_, who_)) {
    if (const JsonValue* value = root_.find("weights"))
      for (const JsonValue& name :
           Object(*value, "weights", {"dtype", "variables"}, who_).at("variables").items("variables of weights"))
        small_.insert(name.string("a variable of weights"));
  }

  Graph read() {
    const std::vector<JsonValue> inputs = limited(root_.at("inputs"), "inputs", kMaxPorts);
    for (std::size_t i = 0; i < inputs.size(); ++i) read_input(inputs[i], join("input ", i));
    const std::vector<JsonValue> nodes = limited(root_.at("nodes"), "nodes", kMaxNodes);
    for (std::size_t i = 0; i < nodes.size(); ++i) read_node(nodes[i], join("node ", i));
    for (const std::string& name : small_)
      if (read_.count(name) == 0)
        throw FormatError(join(who_, ": expected the variables of weights to be tensors that the graph reads, got '",
                               name.substr(0, 60), "'."));
    std::vector<Value> outputs;
    for (const JsonValue& v : limited(root_.at("outputs"), "outputs", kMaxPorts))
      outputs.push_back(reference(v, "an output"));
    if (outputs.empty()) throw FormatError(join(who_, ": expected at least one output, got none."));
    try {
      return Graph(inputs_, std::move(outputs));
    } catch (const Error& e) {
      throw FormatError(join(who_, ": ", e.what()));
    }
  }

  std::vector<std::string> used() const {
    std::vector<std::string> names;
    for (const auto& item : read_) names.push_back(item.first);
    return names;
  }

 private:
  std::vector<JsonValue> limited(const JsonValue& value, const char* what, std::size_t most) const {
    std::vector<JsonValue> items = value.items(what);
    if (items.size() > most) value.fail(what, join("a list of at most ", most));
    return items;
  }

  void check_size(const Spec& spec, const std::string& what) const {
    const Dim count = element_count(spec.shape, "size");
    const bool good =
        count.is_fixed() ? count.value() <= kMaxElements : count.is_batch() && count.batch_multiple() <= kMaxElements;
    if (!good)
      throw FormatError(
          join(who_, ": expected ", what, " to have at most ", kMaxElements, " elements a row, got ", spec, "."));
  }

  void read_input(const JsonValue& value, const std::string& what) {
    const Object object(value, what, {"name", "dtype", "shape"}, who_);
    Spec spec(dtype_from(object.at("dtype"), "dtype of " + what),
              shape_from(object.at("shape"), "shape of " + what, false));
    std::string name = object.at("name").string("name of " + what);
    try {
      check_size(spec, what);
      values_.push_back(placeholder(std::move(spec), std::move(name)));
    } catch (const FormatError&) {
      throw;
    } catch (const Error& e) {
      throw FormatError(join(who_, ": ", what, ": ", e.what()));
    }
    inputs_.push_back(values_.back());
    constant_.push_back(0);
  }

  void read_node(const JsonValue& value, const std::string& node) {
    const Object object(value, node, {"op", "inputs", "attributes"}, who_);
    const std::string name = object.at("op").string("op of " + node);
    const OpDef* op = find_op(name.c_str());
    if (op == nullptr)
      throw FormatError(join(who_, ": expected an op of this library in ", node, ", got '", name.substr(0, 60),
                             "'. Update layernet if the file is newer."));
    const std::string what = node + " (" + name + ")";
    if (op->updates != 0) throw FormatError(join(who_, ": expected ops that change no variable, got ", what, "."));
    std::shared_ptr<void> attributes = op->clone(op->defaults.get());
    if (const JsonValue* given = object.find("attributes")) {
      AttributeReader reader(given->members("attributes of " + what), what);
      op->visit(attributes.get(), reader);
      const std::string unknown = reader.unknown();
      if (!unknown.empty())
        throw FormatError(
            join(who_, ": expected attributes that ", name, " has in ", what, ", got '", unknown.substr(0, 60), "'."));
    }
    Values inputs;
    bool constant = true;
    for (const JsonValue& input : limited(object.at("inputs"), "inputs", kMaxAttributeItems)) {
      inputs.push_back(reference(input, "an input of " + what));
      constant = constant && (input.is_string() || constant_[static_cast<std::size_t>(input.integer(what))] != 0);
    }
    Values results;
    try {
      results = emit_symbolic(*op, attributes.get(), std::move(inputs), Targets());
      for (const Value& v : results) check_size(v.spec(), "the result of " + what);
    } catch (const FormatError&) {
      throw;
    } catch (const Error& e) {
      throw FormatError(join(who_, ": ", what, ": ", e.what()));
    }
    for (Value& v : results) {
      if (constant) count_constant(v.spec(), what);
      values_.push_back(std::move(v));
      constant_.push_back(constant ? 1 : 0);
    }
  }

  void count_constant(const Spec& spec, const std::string& what) {
    if (!all_fixed(spec.shape))
      throw FormatError(
          join(who_, ": expected sizes that are integers from constants, got ", spec, " from ", what, "."));
    constant_bytes_ += static_cast<std::uint64_t>(fixed_count(spec.shape)) * item_size(spec.dtype);
    if (constant_bytes_ > kFreeConstantBytes + kMaxConstantGrowth * tensors_.bytes)
      throw FormatError(join(who_, ": expected constants in proportion to the file's ", tensors_.bytes,
                             " bytes of tensors, got ", spec, " computed by ", what, "."));
  }

  // A number is a value that came before; a string is a tensor.
  Value reference(const JsonValue& value, const std::string& what) {
    if (value.is_string()) return tensor(value, what);
    const std::int64_t number = value.integer(what);
    if (number < 0 || static_cast<std::uint64_t>(number) >= values_.size())
      throw FormatError(join(who_, ": expected ", what, " to be one of the ", values_.size(),
                             " values before it (a graph has no cycles), got ", number, "."));
    return values_[static_cast<std::size_t>(number)];
  }

  Value tensor(const JsonValue& value, const std::string& what) {
    const std::string name = value.string(what);
    const auto found = read_.find(name);
    if (found != read_.end()) return found->second;
    if (!tensors_.has(name))
      throw FormatError(
          join(who_, ": expected ", what, " to be a tensor of the file, got '", name.substr(0, 60), "'."));
    Tensor t = small_.count(name) != 0 ? small(name) : tensors_.read(name);
    Value v(t);
    if (name.compare(0, 9, kConstantPrefix) != 0) {
      v = read_symbolic(std::make_shared<Variable>(std::move(t)));
      v.symbol().node->name = name;
    }
    return read_.emplace(name, std::move(v)).first->second;
  }

  Tensor small(const std::string& name) {
    SmallWeights weights{tensors_.read(name), Tensor()};
    if (weights.values.dtype() != weights_ || weights.values.rank() != 2)
      throw FormatError(join(who_, ": expected the weights '", name.substr(0, 60), "' as a matrix of ", weights_,
                             ", got ", weights.values.spec(), "."));
    if (weights_ != DType::int8) return widened(weights);
    const std::string scale = name + "/scale";
    if (!tensors_.has(scale) || read_.count(scale) != 0 || small_.count(scale) != 0)
      throw FormatError(join(who_, ": expected a tensor '", scale.substr(0, 60), "' that only the weights use, got ",
                             tensors_.has(scale) ? "one that something else reads." : "none."));
    weights.scale = tensors_.read(scale);
    const Shape &w = weights.values.shape(), &s = weights.scale.shape();
    const bool fits = weights.scale.dtype() == DType::float32 && s.size() == 2 &&
                      ((s[0] == Dim(1) && s[1] == w[1]) || (s[0] == w[0] && s[1] == Dim(1)));
    if (!fits)
      throw FormatError(join(who_, ": expected '", scale.substr(0, 60), "' as float32 of shape [1, ", w[1], "] or [",
                             w[0], ", 1], got ", weights.scale.spec(), "."));
    read_.emplace(scale, Value(weights.scale));
    return widened(weights);
  }

  const std::string& who_;
  Object root_;
  const GraphTensors& tensors_;
  const DType weights_;
  std::set<std::string> small_;  // names of the variables that the file holds so
  std::vector<Value> values_, inputs_;
  std::vector<char> constant_;  // per value: does not depend on an input
  std::uint64_t constant_bytes_ = 0;
  std::map<std::string, Value> read_;
};

}  // namespace

GraphJson graph_to_json(const Graph& graph, const GraphExtras& extras) {
  return Writer().write(graph, extras);
}

Graph graph_from_json(const JsonDocument& document, const GraphTensors& tensors, std::vector<std::string>* used) {
  Reader reader(document, tensors);
  Graph graph = reader.read();
  *used = reader.used();
  return graph;
}

GraphExtras read_graph_extras(const JsonDocument& document) {
  const Object root = root_object(document);
  GraphExtras extras;
  const std::vector<JsonValue> inputs = root.at("inputs").items("inputs");
  if (inputs.size() > kMaxPorts) root.at("inputs").fail("inputs", join("a list of at most ", kMaxPorts));
  for (const JsonValue& value : inputs) {
    const Object input(value, "an input", {"name", "dtype", "shape"}, document.who());
    extras.input_names.push_back(input.at("name").string("name of an input"));
  }
  extras.outputs = root.at("outputs").items("outputs").size();
  if (const JsonValue* names = root.find("output_names"))
    for (const JsonValue& name : names->items("output_names"))
      extras.output_names.push_back(name.string("an item of output_names"));
  if (!extras.output_names.empty() && extras.output_names.size() != extras.outputs)
    throw FormatError(join(document.who(), ": expected as many output_names as outputs (", extras.outputs, "), got ",
                           extras.output_names.size(), "."));
  extras.weights = weights_from(root, document.who());
  if (const JsonValue* found = root.find("structure"))
    extras.structure = found->is_string() ? "\"" + std::string(found->raw()) + "\"" : std::string(found->raw());
  return extras;
}

}  // namespace layernet
