// Penalties, in this order: repetition r (z > 0 ? z / r : z * r), then frequency f and presence s
// (z -= f * count, z -= s). Repetition looks at prompt and output, the other two count the output;
// with a window all three look at the last N tokens of both.
#include <algorithm>

#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

void Count(absl::Span<const TokenId> history, size_t uncounted, TokenTally& tally) {
  tally.Clear();
  for (size_t i = 0; i < history.size(); ++i) {
    if (!tally.InVocabulary(history[i])) continue;
    tally[history[i]] += static_cast<int32_t>(i >= uncounted);
  }
}

void Apply(const SampleRequest& request, Candidates& candidates) {
  const SamplingParams& params = *request.params;
  const absl::Span<float> logits = candidates.MutableLogits();
  TokenTally& tally = candidates.tally();
  if (params.penalty_last_n.has_value()) {
    const auto window = static_cast<size_t>(*params.penalty_last_n);
    Count(request.history.last(std::min(window, request.history.size())), 0, tally);
  } else {
    Count(request.history, static_cast<size_t>(request.prompt_count), tally);
  }
  for (TokenId token : tally.tokens()) {
    if (token >= logits.size()) continue;
    float& logit = logits[token];
    logit = logit > 0.0f ? logit / params.repetition_penalty : logit * params.repetition_penalty;
    const int32_t count = tally[token];
    if (count == 0) continue;
    logit -= params.frequency_penalty * static_cast<float>(count);
    logit -= params.presence_penalty;
  }
}

}  // namespace

SamplerStage Stage_penalties() {
  return {.active =
              [](const SampleRequest& request) {
                const SamplingParams& params = *request.params;
                return params.repetition_penalty != 1.0f || params.frequency_penalty != 0.0f ||
                       params.presence_penalty != 0.0f;
              },
          .apply = Apply};
}

}  // namespace baton::worker
