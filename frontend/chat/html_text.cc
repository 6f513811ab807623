#include "frontend/chat/html_text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "frontend/chat/python_text.h"

namespace baton::frontend::internal {
namespace {

// A character reference without its ampersand; some names go without a semicolon.
struct Entity {
  const char* name;
  const char* text;
};

#include "frontend/chat/html_entities.inc"

// The longest name in the table; a reference has at most 32 letters and a semicolon.
constexpr size_t kNameLettersMax = 32;

const Entity* FindEntity(std::string_view name) {
  const Entity* found =
      std::lower_bound(std::begin(kEntities), std::end(kEntities), name,
                       [](const Entity& e, std::string_view value) { return e.name < value; });
  return found != std::end(kEntities) && found->name == name ? found : nullptr;
}

// What browsers make of the numbers 0x80 to 0x9F: the letters of Windows-1252.
constexpr char16_t kWindows1252[32] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

void AppendNumbered(std::string& out, uint32_t number) {
  constexpr char32_t kReplacement = 0xFFFD;
  if (number >= 0x80 && number <= 0x9F) return AppendCodePoint(out, kWindows1252[number - 0x80]);
  if (number == 0 || (number >= 0xD800 && number <= 0xDFFF) || number > 0x10FFFF) {
    return AppendCodePoint(out, kReplacement);
  }
  const bool control =
      (number < 0x20 && number != '\t' && number != '\n' && number != '\f' && number != '\r') ||
      number == 0x7F;
  const bool no_character = (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFE) == 0xFFFE;
  if (!control && !no_character) AppendCodePoint(out, number);
}

int DigitValue(char c, int base) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return base == 16 && small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// Resolves "#60;" at the beginning of `text`; returns its length, 0 when there is none.
size_t AppendNumberReference(std::string& out, std::string_view text) {
  size_t at = 1;
  const bool hex = at < text.size() && (text[at] | 0x20) == 'x';
  if (hex) ++at;
  const int base = hex ? 16 : 10;
  const size_t digits_at = at;
  uint32_t number = 0;
  for (; at < text.size() && DigitValue(text[at], base) >= 0; ++at) {
    number = std::min<uint32_t>(number, 0x110000) * static_cast<uint32_t>(base) +
             static_cast<uint32_t>(DigitValue(text[at], base));
  }
  if (at == digits_at) return 0;
  AppendNumbered(out, number);
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

// The same for "lt;". An unknown name stays; of one with a tail, the longest known part counts.
size_t AppendNameReference(std::string& out, std::string_view text) {
  size_t length = 0;
  for (size_t letters = 0; letters < kNameLettersMax && length < text.size(); ++letters) {
    if (std::memchr("\t\n\f <&#;", text[length], 8) != nullptr) break;
    length += SequenceLength(text, length);
  }
  if (length == 0) return 0;
  if (length < text.size() && text[length] == ';') ++length;
  const std::string_view name = text.substr(0, length);
  for (size_t known = name.size(); known > 1; --known) {
    const Entity* entity = FindEntity(name.substr(0, known));
    if (entity == nullptr) continue;
    out.append(entity->text).append(name.substr(known));
    return length;
  }
  out.append("&").append(name);
  return length;
}

}  // namespace

std::string UnescapeHtml(std::string_view text) {
  std::string out;
  size_t at = 0;
  while (at < text.size()) {
    const size_t ampersand = std::min(text.find('&', at), text.size());
    out.append(text.substr(at, ampersand - at));
    if (ampersand == text.size()) break;
    const std::string_view rest = text.substr(ampersand + 1);
    const size_t length =
        rest.starts_with('#') ? AppendNumberReference(out, rest) : AppendNameReference(out, rest);
    if (length == 0) out.push_back('&');
    at = ampersand + 1 + length;
  }
  return out;
}

std::string StripTags(std::string_view text) {
  constexpr size_t kNone = std::string_view::npos;
  std::string untagged;
  size_t at = 0;
  for (size_t tag = text.find('<'); tag != kNone; tag = text.find('<', at)) {
    const bool comment = text.substr(tag).starts_with("<!--");
    const size_t end = comment ? text.find("-->", tag + 4) : text.find('>', tag);
    if (end == kNone) break;
    untagged.append(text.substr(at, tag - at));
    at = end + (comment ? 3 : 1);
  }
  untagged.append(text.substr(at));

  std::string out;
  std::string_view rest = StripLeft(untagged);
  while (!rest.empty()) {
    size_t end = 0;
    while (end < rest.size() && !IsSpace(CodePointAt(rest, end))) end += SequenceLength(rest, end);
    if (!out.empty()) out.push_back(' ');
    out.append(rest.substr(0, end));
    rest = StripLeft(rest.substr(end));
  }
  return UnescapeHtml(out);
}

}  // namespace baton::frontend::internal
