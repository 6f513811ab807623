#include "common/text/tokenizer/char_scan.h"

namespace baton {

uint32_t ContractionLength(std::string_view text, bool any_case) {
  if (text.size() < 2 || text[0] != '\'') return 0;
  const auto lower = [&](size_t i) {
    const char c = text[i];
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  };
  const char first = lower(1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (text.size() < 3) return 0;
  if (any_case && text.substr(1, 2) == "\xC5\xBF") return 3;  // U+017F
  const char second = lower(2);
  if ((first == 'r' || first == 'v') && second == 'e') return 3;
  return first == 'l' && second == 'l' ? 3 : 0;
}

uint32_t SpaceRunEnd(std::string_view text, uint32_t begin, uint32_t end) {
  if (end == text.size()) return end;
  const Utf8Char last = DecodeLastChar(text.substr(begin, end - begin));
  const uint32_t all_but_last = end - last.length;
  return all_but_last > begin ? all_but_last : end;
}

}  // namespace baton
