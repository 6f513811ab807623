// bad_words: sequences of tokens that the output never contains. The last token of one is banned
// where the output ends in the others.
#include <algorithm>
#include <cstddef>
#include <limits>

#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

void Apply(const SampleRequest& request, Candidates& candidates) {
  const absl::Span<float> logits = candidates.MutableLogits();
  const absl::Span<const TokenId> output =
      request.history.subspan(static_cast<size_t>(request.prompt_count));
  for (const std::vector<TokenId>& word : request.params->bad_words) {
    const size_t before = word.size() - 1;
    if (before > output.size() || word.back() >= logits.size()) continue;
    if (std::equal(word.begin(), word.end() - 1, output.end() - static_cast<ptrdiff_t>(before))) {
      logits[word.back()] = -std::numeric_limits<float>::infinity();
    }
  }
}

}  // namespace

SamplerStage Stage_bad_words() {
  return {.role = StageRole::kRule,
          .active = [](const SampleRequest& request) { return !request.params->bad_words.empty(); },
          .apply = Apply};
}

}  // namespace baton::worker
