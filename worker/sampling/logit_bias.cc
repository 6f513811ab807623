// logit_bias: a constant added to the logits of named tokens.
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {

SamplerStage Stage_logit_bias() {
  return {
      .role = StageRole::kRule,
      .active = [](const SampleRequest& request) { return !request.params->logit_bias.empty(); },
      .apply =
          [](const SampleRequest& request, Candidates& candidates) {
            absl::Span<float> logits = candidates.MutableLogits();
            for (const auto& [token, bias] : request.params->logit_bias) {
              if (token < logits.size()) logits[token] += bias;
            }
          }};
}

}  // namespace baton::worker
