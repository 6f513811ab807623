// allowed_token_ids: nothing else can be drawn.
#include <cstddef>
#include <limits>

#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

void Apply(const SampleRequest& request, Candidates& candidates) {
  const absl::Span<float> logits = candidates.MutableLogits();
  size_t next = 0;  // the first that is not decided yet
  const auto ban_up_to = [&](size_t end) {
    for (; next < end; ++next) logits[next] = -std::numeric_limits<float>::infinity();
  };
  for (TokenId token : request.params->allowed_token_ids) {
    if (token < next || token >= logits.size()) continue;
    ban_up_to(token);
    next = token + 1;
  }
  ban_up_to(logits.size());
}

}  // namespace

SamplerStage Stage_allowed_tokens() {
  return {
      .role = StageRole::kRule,
      .active =
          [](const SampleRequest& request) { return !request.params->allowed_token_ids.empty(); },
      .apply = Apply};
}

}  // namespace baton::worker
