// Penalties, in this order: repetition r over prompt and output (z > 0 ? z / r : z * r), then
// frequency f and presence s over the output (z -= f * count, z -= s).
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {

SamplerStage Stage_penalties() {
  return {.active =
              [](const SampleRequest& request) {
                const SamplingParams& params = *request.params;
                return params.repetition_penalty != 1.0f || params.frequency_penalty != 0.0f ||
                       params.presence_penalty != 0.0f;
              },
          .apply =
              [](const SampleRequest& request, Candidates& candidates) {
                const SamplingParams& params = *request.params;
                absl::Span<float> logits = candidates.MutableLogits();
                candidates.ForEachDistinct(
                    request.history, request.prompt_count, [&](TokenId token, int32_t count) {
                      if (token >= logits.size()) return;
                      float& logit = logits[token];
                      logit = logit > 0.0f ? logit / params.repetition_penalty
                                           : logit * params.repetition_penalty;
                      if (count == 0) return;
                      logit -= params.frequency_penalty * static_cast<float>(count);
                      logit -= params.presence_penalty;
                    });
              }};
}

}  // namespace baton::worker
