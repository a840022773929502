// A strict reader of JSON for files that nobody vouches for, and the few writers that go with it.
//
// A document is kept as a flat list of tokens that point into its text (the idea of jsmn): 20 bytes for each, nesting
// and number of tokens are bounded, nothing recurses, strings are decoded when they are asked for. Beyond the grammar
// it refuses names given twice in an object, NUL characters and text that is not UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace layernet {

class JsonValue;

class JsonDocument {
 public:
  static constexpr std::size_t kMaxDepth = 64;
  static constexpr std::size_t kMaxTokens = std::size_t{1} << 22;
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 26;

  // `who` begins the messages. Throws FormatError that names the byte.
  JsonDocument(std::string text, std::string who);
  JsonDocument(JsonDocument&&) = default;
  JsonValue root() const noexcept;
  const std::string& who() const noexcept { return who_; }

 private:
  friend class JsonValue;
  friend class JsonParser;
  enum class Kind : std::uint8_t { null, no, yes, number, string, array, object };
  struct Token {
    std::uint32_t begin, end;  // of the text; strings without their quotes
    std::uint32_t next;        // the token after this one and what it contains
    std::uint32_t count;       // items of an array or object
    Kind kind;
  };
  std::string text_;
  std::string who_;
  std::vector<Token> tokens_;
};

// A value of a document that outlives it. Questions of the wrong type throw FormatError; `what` names the value in the
// message.
class JsonValue {
 public:
  bool is_null() const noexcept { return kind() == Kind::null; }
  bool is_string() const noexcept { return kind() == Kind::string; }
  bool is_number() const noexcept { return kind() == Kind::number; }
  bool is_array() const noexcept { return kind() == Kind::array; }
  bool is_object() const noexcept { return kind() == Kind::object; }

  bool boolean(const std::string& what) const;
  std::int64_t integer(const std::string& what) const;
  double number(const std::string& what) const;  // also the strings "inf", "-inf" and "nan"
  std::string string(const std::string& what) const;
  std::vector<JsonValue> items(const std::string& what) const;
  struct Member;
  std::vector<Member> members(const std::string& what) const;
  std::string_view raw() const noexcept;  // as it stands in the text
  // The value as people want to see it in a message: at most 60 characters of it.
  std::string shown() const;
  [[noreturn]] void fail(const std::string& what, const std::string& expected) const;

 private:
  friend class JsonDocument;
  using Kind = JsonDocument::Kind;
  JsonValue(const JsonDocument* document, std::uint32_t index) noexcept : document_(document), index_(index) {}
  const JsonDocument::Token& token() const noexcept { return document_->tokens_[index_]; }
  Kind kind() const noexcept { return token().kind; }
  const JsonDocument* document_;
  std::uint32_t index_;
};

struct JsonValue::Member {
  std::string name;
  JsonValue value;
};

// Writers. json_string throws InvalidArgumentError for text that is not UTF-8 or has a NUL.
std::string json_string(std::string_view text);
std::string json_number(
    double value);  // the shortest form that reads back as the same double; "inf", "-inf", "nan" as strings

}  // namespace layernet
