// Reading and laying out safetensors files. Numbers in them are little endian, and so are those of every machine we
// build for.
#include "plan/safetensors.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "plan/json.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors.cpp copies bytes as they are: little-endian machines only"
#endif

namespace layernet {

namespace {

constexpr const char* kFormatNames[kDTypeCount] = {"F32", "F64", "F16", "BF16", "I8", "U8", "I32", "I64", "BOOL"};

DType dtype_named(const JsonValue& value, const std::string& what) {
  const std::string name = value.string(what);
  for (int i = 0; i < kDTypeCount; ++i)
    if (name == kFormatNames[i]) return static_cast<DType>(i);
  value.fail(what, "one of F64, F32, F16, BF16, I64, I32, I8, U8, BOOL");
}

std::int64_t size_in(const JsonValue& value, const std::string& what) {
  const std::int64_t size = value.integer(what);
  if (size < 0) value.fail(what, "at least 0");
  return size;
}

SafetensorsReader::Entry entry_from(const std::string& name, const JsonValue& value, const std::string& who) {
  const std::string tensor = "tensor '" + name + "'";
  SafetensorsReader::Entry entry;
  unsigned seen = 0;
  for (const JsonValue::Member& m : value.members(tensor)) {
    const std::string what = m.name + " of " + tensor;
    if (m.name == "dtype") {
      entry.spec.dtype = dtype_named(m.value, what);
      seen |= 1;
    } else if (m.name == "shape") {
      const std::vector<JsonValue> sizes = m.value.items(what);
      if (sizes.size() > kMaxRank) m.value.fail(what, join("a list of at most ", kMaxRank, " sizes"));
      for (const JsonValue& size : sizes) entry.spec.shape.push_back(Dim(size_in(size, what)));
      seen |= 2;
    } else if (m.name == "data_offsets") {
      const std::vector<JsonValue> offsets = m.value.items(what);
      if (offsets.size() != 2) m.value.fail(what, "two positions");
      entry.begin = static_cast<std::uint64_t>(size_in(offsets[0], what));
      entry.end = static_cast<std::uint64_t>(size_in(offsets[1], what));
      if (entry.end < entry.begin) m.value.fail(what, "two positions in rising order");
      seen |= 4;
    } else {
      throw FormatError(
          join(who, ": expected dtype, shape and data_offsets of ", tensor, ", got '", m.name.substr(0, 60), "' too."));
    }
  }
  if (seen != 7) value.fail(tensor, "an object with dtype, shape and data_offsets");
  std::int64_t bytes = 0;
  try {
    bytes = multiply(element_count(entry.spec.shape, "shape"),
                     Dim(static_cast<std::int64_t>(item_size(entry.spec.dtype))), "shape")
                .value();
  } catch (const Error& e) {
    throw FormatError(join(who, ": ", tensor, " of shape ", entry.spec.shape, ": ", e.what()));
  }
  if (entry.end - entry.begin != static_cast<std::uint64_t>(bytes))
    throw FormatError(join(who, ": expected ", tensor, " of ", entry.spec, " to take ", bytes,
                           " bytes, got data_offsets ", entry.begin, " and ", entry.end, "."));
  return entry;
}

}  // namespace

SafetensorsReader::SafetensorsReader(const ByteSource& source) : source_(source) {
  const std::string& who = source.name();
  if (source.size() < 8) throw FormatError(join(who, ": expected at least 8 bytes, got ", source.size(), "."));
  std::uint64_t length = 0;
  source.read_at(0, &length, 8);
  if (length > std::min<std::uint64_t>(JsonDocument::kMaxBytes, source.size() - 8))
    throw FormatError(join(who, ": expected a header that fits into the file's ", source.size(),
                           " bytes and has at most ", JsonDocument::kMaxBytes, ", got a length of ", length, "."));
  std::string text(static_cast<std::size_t>(length), '\0');
  source.read_at(8, text.data(), text.size());
  data_ = 8 + length;
  if (text.empty() || text[0] != '{')
    throw FormatError(join(who, ": expected a header that begins with '{' at byte 8."));
  const JsonDocument header(std::move(text), who + ": header");
  for (const JsonValue::Member& m : header.root().members("the header")) {
    if (m.name == "__metadata__") {
      for (const JsonValue::Member& item : m.value.members("__metadata__"))
        metadata_[item.name] = item.value.string("__metadata__ '" + item.name + "'");
      continue;
    }
    entries_[m.name] = entry_from(m.name, m.value, who + ": header");
  }
  check_cover();
}

void SafetensorsReader::check_cover() const {
  std::vector<const std::pair<const std::string, Entry>*> order;
  for (const auto& item : entries_) order.push_back(&item);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::make_pair(a->second.begin, a->second.end) < std::make_pair(b->second.begin, b->second.end);
  });
  std::uint64_t position = 0;
  for (const auto* item : order) {
    if (item->second.begin != position)
      throw FormatError(join(source_.name(), ": expected tensor '", item->first, "' to start at byte ", position,
                             " of the data (no gap, no overlap), got ", item->second.begin, "."));
    position = item->second.end;
  }
  if (position != data_bytes())
    throw FormatError(
        join(source_.name(), ": expected ", position, " bytes of data as the header says, got ", data_bytes(), "."));
}

Tensor SafetensorsReader::read(const std::string& name) const {
  const Entry& entry = entries_.at(name);
  Tensor t = Tensor::empty(entry.spec);
  const std::size_t bytes = t.bytes();
  source_.read_at(data_ + entry.begin, t.mutable_data(), bytes);
  if (entry.spec.dtype == DType::bool_) {
    const auto* flags = t.as<std::uint8_t>();
    for (std::size_t i = 0; i < bytes; ++i)
      if (flags[i] > 1)
        throw FormatError(join(source_.name(), ": expected tensor '", name, "' to hold bools, bytes 0 or 1, got ",
                               static_cast<int>(flags[i]), " at byte ", i, " of it."));
  }
  return t;
}

SafetensorsParts safetensors_parts(std::vector<NamedTensor> tensors,
                                   const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    const std::size_t size_a = item_size(a.tensor.dtype()), size_b = item_size(b.tensor.dtype());
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  std::string text = "{\"__metadata__\":{";
  for (const auto& [key, value] : metadata)
    text += (text.back() == '{' ? "" : ",") + json_string(key) + ":" + json_string(value);
  text += "}";
  SafetensorsParts parts;
  std::uint64_t position = 0;
  for (const NamedTensor& t : tensors) {
    const std::uint64_t end = position + t.tensor.bytes();
    text += join(",", json_string(t.name), ":{\"dtype\":\"", kFormatNames[static_cast<int>(t.tensor.dtype())],
                 "\",\"shape\":[");
    for (std::size_t i = 0; i < t.tensor.rank(); ++i) text += (i ? "," : "") + to_string(t.tensor.shape()[i]);
    text += join("],\"data_offsets\":[", position, ",", end, "]}");
    parts.tensors.push_back(t.tensor);
    position = end;
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > JsonDocument::kMaxBytes)
    throw InvalidArgumentError(join("predictor file: expected a header of at most ", JsonDocument::kMaxBytes,
                                    " bytes, got ", text.size(), "."));
  const std::uint64_t length = text.size();
  parts.head.resize(8);
  std::memcpy(parts.head.data(), &length, 8);
  parts.head += text;
  return parts;
}

}  // namespace layernet
