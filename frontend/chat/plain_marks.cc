#include "frontend/chat/plain_marks.h"

#include <algorithm>
#include <array>
#include <utility>

#include "nlohmann/json.hpp"

namespace baton::frontend {
namespace {

constexpr std::string_view kMark = "\xEF\xB7\x90";

size_t FirstCharacterBytes(std::string_view text) {
  size_t bytes = 1;
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) ++bytes;
  return bytes;
}

void MarkText(std::string& text, absl::Span<const std::string> words) {
  (void)TakePlainMarks(text);
  std::array<bool, 256> begins{};  // bytes that begin a word: few
  for (const std::string& word : words) begins[static_cast<unsigned char>(word.front())] = true;
  std::string marked;
  size_t copied = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (!begins[static_cast<unsigned char>(text[at])]) continue;
    const bool starts = std::ranges::any_of(
        words, [&](const std::string& word) { return text.compare(at, word.size(), word) == 0; });
    if (!starts) continue;
    const size_t end = at + FirstCharacterBytes(std::string_view(text).substr(at));
    marked.append(text, copied, end - copied).append(kMark);
    copied = end;
  }
  if (copied == 0) return;
  marked.append(text, copied);
  text = std::move(marked);
}

}  // namespace

void MarkPlainText(nlohmann::ordered_json& value, absl::Span<const std::string> words) {
  if (value.is_string()) {
    MarkText(value.get_ref<std::string&>(), words);
  } else if (value.is_structured()) {
    for (auto& item : value) MarkPlainText(item, words);
  }
}

std::vector<size_t> TakePlainMarks(std::string& text) {
  std::vector<size_t> places;
  size_t at = text.find(kMark);
  if (at == std::string::npos) return places;
  std::string plain;
  size_t copied = 0;
  for (; at != std::string::npos; at = text.find(kMark, copied)) {
    plain.append(text, copied, at - copied);
    places.push_back(plain.size());
    copied = at + kMark.size();
  }
  plain.append(text, copied);
  text = std::move(plain);
  return places;
}

}  // namespace baton::frontend
