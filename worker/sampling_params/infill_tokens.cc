#include "worker/sampling_params/infill_tokens.h"

#include <algorithm>
#include <numeric>

namespace baton::worker {

InfillTokens::InfillTokens(absl::Span<const std::string_view> texts, std::optional<TokenId> end)
    : places_(texts.size()), end_(end) {
  std::vector<TokenId> sorted(texts.size());
  std::iota(sorted.begin(), sorted.end(), TokenId{0});
  std::sort(sorted.begin(), sorted.end(), [&](TokenId a, TokenId b) {
    return texts[a] != texts[b] ? texts[a] < texts[b] : a < b;
  });
  const auto count = static_cast<int32_t>(sorted.size());
  std::vector<TokenId> open;  // each begins the next, and the text at hand
  for (int32_t at = 0; at < count; ++at) {
    const TokenId token = sorted[static_cast<size_t>(at)];
    const std::string_view text = texts[token];
    places_[token] = {.at = at, .begin = at, .end = at};
    if (text.empty()) continue;
    while (!open.empty() && !text.starts_with(texts[open.back()])) {
      places_[open.back()].end = at;
      open.pop_back();
    }
    if (!open.empty() && texts[open.back()] == text)
      places_[token].begin = places_[open.back()].begin;
    open.push_back(token);
  }
  for (const TokenId token : open) places_[token].end = count;
}

}  // namespace baton::worker
