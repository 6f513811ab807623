#include "frontend/json/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace baton::frontend {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// True for the bytes that are copied as they are: printable ASCII without the quote and backslash.
constexpr std::array<bool, 256> MakePlainTable() {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  plain[0x7F] = true;
  return plain;
}
constexpr std::array<bool, 256> kPlain = MakePlainTable();

unsigned char ByteAt(std::string_view text, size_t i) {
  return static_cast<unsigned char>(text[i]);
}

bool IsContinuation(std::string_view text, size_t i) {
  return i < text.size() && (ByteAt(text, i) & 0xC0) == 0x80;
}

// The length of the well-formed UTF-8 sequence of two or more bytes at `i`, or 0.
size_t SequenceLength(std::string_view text, size_t i) {
  const unsigned char lead = ByteAt(text, i);
  if (lead < 0xC2 || lead > 0xF4 || !IsContinuation(text, i + 1)) return 0;
  if (lead < 0xE0) return 2;
  const unsigned char second = ByteAt(text, i + 1);
  if (!IsContinuation(text, i + 2)) return 0;
  if (lead < 0xF0) {
    if (lead == 0xE0 && second < 0xA0) return 0;
    if (lead == 0xED && second > 0x9F) return 0;
    return 3;
  }
  if (!IsContinuation(text, i + 3)) return 0;
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second > 0x8F) return 0;
  return 4;
}

void AppendEscapedAscii(unsigned char c, std::string* out) {
  switch (c) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\b':
      *out += "\\b";
      return;
    case '\f':
      *out += "\\f";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  *out += "\\u00";
  *out += kHex[c >> 4];
  *out += kHex[c & 15];
}

}  // namespace

void AppendJsonEscaped(std::string_view text, std::string* out) {
  size_t i = 0;
  while (i < text.size()) {
    size_t end = i;
    while (end < text.size() && kPlain[ByteAt(text, end)]) ++end;
    out->append(text, i, end - i);
    i = end;
    if (i == text.size()) return;
    if (ByteAt(text, i) < 0x80) {
      AppendEscapedAscii(ByteAt(text, i), out);
      ++i;
      continue;
    }
    const size_t length = SequenceLength(text, i);
    if (length == 0) {
      *out += kReplacement;
      ++i;
    } else {
      out->append(text, i, length);
      i += length;
    }
  }
}

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  AppendJsonEscaped(text, out);
  *out += '"';
}

void AppendJsonDouble(double value, std::string* out) {
  if (!std::isfinite(value)) {
    *out += "null";
    return;
  }
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  const std::string_view text(digits.data(), static_cast<size_t>(end.ptr - digits.data()));
  *out += text;
  if (text.find_first_of(".e") == std::string_view::npos) *out += ".0";
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  *out_ += bracket;
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  *out_ += bracket;
  need_comma_ = true;
  return *this;
}

void JsonWriter::Separate() {
  if (need_comma_) *out_ += ',';
  need_comma_ = true;
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  Separate();
  *out_ += '"';
  *out_ += key;
  *out_ += "\":";
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  AppendJsonString(text, out_);
  return *this;
}

JsonWriter& JsonWriter::Int(int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return Raw({digits.data(), static_cast<size_t>(end.ptr - digits.data())});
}

JsonWriter& JsonWriter::Double(double value) {
  Separate();
  AppendJsonDouble(value, out_);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) { return Raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::Null() { return Raw("null"); }

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  *out_ += json;
  return *this;
}

}  // namespace baton::frontend
