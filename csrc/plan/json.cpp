// The JSON grammar of RFC 8259, read without recursion.
#include "plan/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <locale>
#include <sstream>

#include "core/error.h"

namespace layernet {

namespace {

// Length of the UTF-8 sequence that starts at `at`; 0 when it is not one (overlong, surrogate, beyond U+10FFFF, cut
// off).
std::size_t utf8_length(std::string_view s, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return at + i < s.size() ? static_cast<unsigned char>(s[at + i]) : 0U; };
  const unsigned first = byte(0);
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF)
    return tail(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && tail(2) ? 3 : 0;
  if (first >= 0xF0 && first <= 0xF4)
    return tail(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && tail(2) && tail(3) ? 4 : 0;
  return 0;
}

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// Four hexadecimal digits; false when they are not.
bool hex4(std::string_view s, unsigned* out) noexcept {
  if (s.size() < 4) return false;
  unsigned code = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const char c = s[i];
    const int digit = is_digit(c)            ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return false;
    code = code << 4 | static_cast<unsigned>(digit);
  }
  *out = code;
  return true;
}

// The characters of a string whose grammar has been checked.
std::string decoded(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\') {
      out.push_back(s[i]);
      continue;
    }
    switch (s[++i]) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        unsigned code = 0, low = 0;
        hex4(s.substr(i + 1), &code);
        i += 4;
        if (code >= 0xD800 && code < 0xDC00) {
          hex4(s.substr(i + 3), &low);
          i += 6;
          code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        append_utf8(out, code);
        break;
      }
      default:
        out.push_back(s[i]);  // a quote, a slash or a backslash
    }
  }
  return out;
}

}  // namespace

class JsonParser {
 public:
  using Kind = JsonDocument::Kind;
  using Token = JsonDocument::Token;
  explicit JsonParser(JsonDocument& d) : s_(d.text_), who_(d.who_), tokens_(d.tokens_) {}

  void parse() {
    for (;;) {
      if (!value()) continue;  // a container with something in it was opened
      for (;;) {
        space();
        if (open_.empty()) {
          if (at_ != s_.size()) fail("the end");
          return;
        }
        Token& top = tokens_[open_.back()];
        ++top.count;
        const bool object = top.kind == Kind::object;
        const char c = peek();
        if (c == ',') {
          ++at_;
          if (object) key();
          break;
        }
        if (c != (object ? '}' : ']')) fail(object ? "',' or '}'" : "',' or ']'");
        close();
      }
    }
  }

 private:
  [[noreturn]] void fail(const char* expected) const {
    std::string got = "the end";
    if (at_ < s_.size()) {
      const auto c = static_cast<unsigned char>(s_[at_]);
      got = c >= 0x20 && c < 0x7F ? std::string("'") + s_[at_] + "'" : join("the byte ", static_cast<int>(c));
    }
    throw FormatError(join(who_, ": expected ", expected, " at byte ", at_, ", got ", got, "."));
  }
  char peek() const noexcept { return at_ < s_.size() ? s_[at_] : '\0'; }
  void space() noexcept {
    while (at_ < s_.size() && (s_[at_] == ' ' || s_[at_] == '\t' || s_[at_] == '\n' || s_[at_] == '\r')) ++at_;
  }
  void add(Kind kind, std::size_t begin, std::size_t end) {
    if (tokens_.size() == JsonDocument::kMaxTokens)
      throw FormatError(join(who_, ": expected at most ", JsonDocument::kMaxTokens, " values, got more."));
    tokens_.push_back(Token{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end),
                            static_cast<std::uint32_t>(tokens_.size() + 1), 0, kind});
  }

  // Reads a value; false when it opened a container whose first item comes next.
  bool value() {
    space();
    switch (peek()) {
      case '{':
      case '[':
        return open();
      case '"':
        string();
        return true;
      case 't':
        word("true", Kind::yes);
        return true;
      case 'f':
        word("false", Kind::no);
        return true;
      case 'n':
        word("null", Kind::null);
        return true;
      default:
        number();
        return true;
    }
  }

  bool open() {
    if (open_.size() == JsonDocument::kMaxDepth)
      throw FormatError(join(who_, ": expected at most ", JsonDocument::kMaxDepth,
                             " levels of nesting, got more at byte ", at_, "."));
    const bool object = peek() == '{';
    open_.push_back(static_cast<std::uint32_t>(tokens_.size()));
    add(object ? Kind::object : Kind::array, at_, at_ + 1);
    ++at_;
    space();
    if (peek() == (object ? '}' : ']')) {
      close();
      return true;
    }
    if (object) key();
    return false;
  }

  void close() {
    ++at_;
    const std::uint32_t index = open_.back();
    open_.pop_back();
    tokens_[index].end = static_cast<std::uint32_t>(at_);
    tokens_[index].next = static_cast<std::uint32_t>(tokens_.size());
    if (tokens_[index].kind != Kind::object || tokens_[index].count < 2) return;
    std::vector<std::string> names;
    for (std::uint32_t i = index + 1; i < tokens_.size(); i = tokens_[i + 1].next)
      names.push_back(decoded(slice(tokens_[i])));
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end())
      throw FormatError(join(who_, ": expected distinct names, got '", twice->substr(0, 60),
                             "' twice in the object at byte ", static_cast<long>(tokens_[index].begin), "."));
  }

  void key() {
    space();
    if (peek() != '"') fail("a name in quotes");
    string();
    space();
    if (peek() != ':') fail("':'");
    ++at_;
  }

  void word(std::string_view text, Kind kind) {
    if (s_.substr(at_, text.size()) != text) fail("a value");
    add(kind, at_, at_ + text.size());
    at_ += text.size();
  }

  void number() {
    const std::size_t begin = at_;
    if (peek() == '-') ++at_;
    if (!is_digit(peek())) fail(at_ == begin ? "a value" : "a digit");
    if (peek() == '0')
      ++at_;
    else
      digits();
    if (peek() == '.') {
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
    add(Kind::number, begin, at_);
  }
  void digits() {
    if (!is_digit(peek())) fail("a digit");
    while (is_digit(peek())) ++at_;
  }

  void string() {
    const std::size_t begin = ++at_;
    for (;;) {
      if (at_ >= s_.size()) fail("a closing quote");
      const char c = s_[at_];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) fail("a character, control characters escaped");
      if (c == '\\') {
        escape();
        continue;
      }
      const std::size_t length = utf8_length(s_, at_);
      if (length == 0) fail("UTF-8");
      at_ += length;
    }
    add(Kind::string, begin, at_++);
  }

  void escape() {
    ++at_;
    const char c = peek();
    if (c != 'u') {
      if (at_ >= s_.size() || std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) fail("an escape");
      ++at_;
      return;
    }
    unsigned code = 0, low = 0;
    if (!hex4(s_.substr(at_ + 1), &code)) fail("four hexadecimal digits");
    if (code == 0 || (code >= 0xDC00 && code < 0xE000)) fail("a character (no NUL, no half of a pair)");
    at_ += 5;
    if (code < 0xD800 || code >= 0xE000) return;
    if (s_.substr(at_, 2) != "\\u" || !hex4(s_.substr(at_ + 2), &low) || low < 0xDC00 || low >= 0xE000)
      fail("the second half of a pair");
    at_ += 6;
  }

  std::string_view slice(const Token& t) const noexcept { return s_.substr(t.begin, t.end - t.begin); }

  std::string_view s_;
  const std::string& who_;
  std::vector<Token>& tokens_;
  std::vector<std::uint32_t> open_;
  std::size_t at_ = 0;
};

JsonDocument::JsonDocument(std::string text, std::string who) : text_(std::move(text)), who_(std::move(who)) {
  if (text_.size() > kMaxBytes)
    throw FormatError(join(who_, ": expected at most ", kMaxBytes, " bytes of JSON, got ", text_.size(), "."));
  JsonParser(*this).parse();
}

JsonValue JsonDocument::root() const noexcept {
  return JsonValue(this, 0);
}

std::string_view JsonValue::raw() const noexcept {
  const JsonDocument::Token& t = token();
  return std::string_view(document_->text_).substr(t.begin, t.end - t.begin);
}

std::string JsonValue::shown() const {
  std::string s(raw());
  if (s.size() > 60) {
    std::size_t cut = 57;
    while (cut > 0 && (static_cast<unsigned char>(s[cut]) & 0xC0) == 0x80) --cut;
    s = s.substr(0, cut) + "...";
  }
  return is_string() ? "\"" + s + "\"" : s;
}

void JsonValue::fail(const std::string& what, const std::string& expected) const {
  throw FormatError(join(document_->who(), ": expected ", what, " to be ", expected, ", got ", shown(), "."));
}

bool JsonValue::boolean(const std::string& what) const {
  if (kind() != Kind::yes && kind() != Kind::no) fail(what, "true or false");
  return kind() == Kind::yes;
}

std::int64_t JsonValue::integer(const std::string& what) const {
  constexpr const char* kExpected = "an integer of 64 bits";
  if (!is_number()) fail(what, kExpected);
  const std::string_view s = raw();
  const bool negative = s[0] == '-';
  std::uint64_t value = 0;
  for (const char c : s.substr(negative ? 1 : 0)) {
    if (!is_digit(c) || value > (std::numeric_limits<std::uint64_t>::max() - 9) / 10) fail(what, kExpected);
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  const std::uint64_t most = (std::uint64_t{1} << 63) - (negative ? 0 : 1);
  if (value > most) fail(what, kExpected);
  return static_cast<std::int64_t>(negative ? ~value + 1 : value);
}

double JsonValue::number(const std::string& what) const {
  if (is_string()) {
    const std::string_view s = raw();
    if (s == "inf") return std::numeric_limits<double>::infinity();
    if (s == "-inf") return -std::numeric_limits<double>::infinity();
    if (s == "nan") return std::numeric_limits<double>::quiet_NaN();
  }
  if (!is_number()) fail(what, "a number");
  std::istringstream in{std::string(raw())};
  in.imbue(std::locale::classic());  // the program may have set a locale with another decimal point
  double value = 0;
  in >> value;
  if (!std::isfinite(value) || std::abs(value) == std::numeric_limits<double>::max())
    fail(what, "a number of a double's range");
  return value;
}

std::string JsonValue::string(const std::string& what) const {
  if (!is_string()) fail(what, "a string");
  return decoded(raw());
}

std::vector<JsonValue> JsonValue::items(const std::string& what) const {
  if (!is_array()) fail(what, "a list");
  std::vector<JsonValue> out;
  out.reserve(token().count);
  for (std::uint32_t i = index_ + 1; i < token().next; i = document_->tokens_[i].next)
    out.push_back(JsonValue(document_, i));
  return out;
}

std::vector<JsonValue::Member> JsonValue::members(const std::string& what) const {
  if (!is_object()) fail(what, "an object");
  std::vector<Member> out;
  out.reserve(token().count);
  for (std::uint32_t i = index_ + 1; i < token().next; i = document_->tokens_[i + 1].next) {
    const JsonValue name(document_, i);
    out.push_back(Member{decoded(name.raw()), JsonValue(document_, i + 1)});
  }
  return out;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    const char c = text[i];
    if (length == 0 || c == '\0')
      throw InvalidArgumentError("predictor file: expected names in UTF-8 without NUL characters, got other bytes.");
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out.append(text.substr(i, length));
    }
    i += length;
  }
  return out + "\"";
}

std::string json_number(double value) {
  if (std::isnan(value)) return "\"nan\"";
  if (std::isinf(value)) return value > 0 ? "\"inf\"" : "\"-inf\"";
  for (int precision = 15;; ++precision) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(precision);
    out << value;
    std::istringstream in(out.str());
    in.imbue(std::locale::classic());
    double back = 0;
    in >> back;
    if (precision >= 17 || back == value) return out.str();
  }
}

}  // namespace layernet
