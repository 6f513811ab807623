// DRY ("don't repeat yourself"): where the end of the context also stands earlier, the token that
// followed it there would extend a repetition. It is penalised by multiplier * base^(n - allowed),
// where n is the length of the longest such repetition. Repetitions do not reach across a breaker,
// and breakers of one token are never penalised.
#include <algorithm>
#include <cmath>
#include <vector>

#include "worker/sampling/sampler_stage.h"
#include "worker/sampling_params/dry_breakers.h"

namespace baton::worker {
namespace {

// How many of the last tokens stand behind the last breaker; all of them where there is none.
size_t LengthBehindBreaker(absl::Span<const TokenId> window, const DryBreakers* breakers) {
  if (breakers == nullptr) return window.size();
  for (size_t back = 0; back < window.size(); ++back) {
    const auto tail = breakers->TailLengthAt(window.subspan(window.size() - 1 - back));
    if (tail.has_value()) return back - *tail;
  }
  return window.size();
}

// lengths[k]: how many tokens before (and with) the one k from the end equal the end of the window,
// at most `limit`: the Z function of the reversed window.
void RepeatLengths(absl::Span<const TokenId> window, int32_t limit, std::vector<int32_t>& lengths) {
  const auto count = static_cast<int32_t>(window.size());
  const auto at = [&](int32_t back) { return window[static_cast<size_t>(count - 1 - back)]; };
  lengths.assign(window.size(), 0);
  int32_t left = 0;
  int32_t right = 0;  // [left, right) equals the beginning of the reversed window
  for (int32_t k = 1; k < count; ++k) {
    int32_t length = 0;
    if (k < right) length = std::min(lengths[static_cast<size_t>(k - left)], right - k);
    while (k + length < count && at(length) == at(k + length)) ++length;
    lengths[static_cast<size_t>(k)] = length;
    if (k + length > right) {
      left = k;
      right = k + length;
    }
  }
  for (int32_t& length : lengths) length = std::min(length, limit);
}

// The largest exponent that a float can hold; 0: no bound is needed.
int32_t ExponentMax(float base) {
  constexpr float kLogOfLargest = 88.7228391f;
  return base > 1.000001f ? static_cast<int32_t>(kLogOfLargest / std::log(base)) : 0;
}

void Apply(const SampleRequest& request, Candidates& candidates) {
  const DryParams& dry = request.params->dry;
  const absl::Span<const TokenId> window =
      request.history.last(std::min(static_cast<size_t>(dry.last_n), request.history.size()));
  const auto count = static_cast<int32_t>(window.size());
  if (count <= dry.allowed_length) return;
  const auto limit = static_cast<int32_t>(LengthBehindBreaker(window, dry.breakers.get()));
  if (limit < dry.allowed_length) return;
  std::vector<int32_t>& lengths = candidates.scratch();
  RepeatLengths(window, limit, lengths);

  TokenTally& longest = candidates.tally();
  longest.Clear();
  for (int32_t k = 1; k < count; ++k) {
    const int32_t length = lengths[static_cast<size_t>(k)];
    const TokenId next = window[static_cast<size_t>(count - k)];
    if (length < dry.allowed_length || !longest.InVocabulary(next)) continue;
    longest[next] = std::max(longest[next], length);
  }
  const int32_t exponent_max = ExponentMax(dry.base);
  const absl::Span<float> logits = candidates.MutableLogits();
  for (TokenId token : longest.tokens()) {
    if (token >= logits.size()) continue;
    if (dry.breakers != nullptr && dry.breakers->IsBreaker(token)) continue;
    int32_t exponent = longest[token] - dry.allowed_length;
    if (exponent_max > 0) exponent = std::min(exponent, exponent_max);
    logits[token] -= static_cast<float>(static_cast<double>(dry.multiplier) *
                                        std::pow(static_cast<double>(dry.base), exponent));
  }
}

}  // namespace

SamplerStage Stage_dry() {
  return {.active =
              [](const SampleRequest& request) {
                const DryParams& dry = request.params->dry;
                return dry.multiplier != 0.0f && dry.base >= 1.0f && dry.last_n > 0;
              },
          .apply = Apply};
}

}  // namespace baton::worker
