// min_tokens: until that many are out, no id that would end the sequence can be drawn.
#include <limits>

#include "worker/sampling/sampler_stage.h"

namespace baton::worker {

SamplerStage Stage_stop_ban() {
  return {.role = StageRole::kRule,
          .active =
              [](const SampleRequest& request) {
                return request.output_position < request.params->min_tokens;
              },
          .apply =
              [](const SampleRequest& request, Candidates& candidates) {
                absl::Span<float> logits = candidates.MutableLogits();
                for (TokenId token : request.stop_ids) {
                  if (token < logits.size()) {
                    logits[token] = -std::numeric_limits<float>::infinity();
                  }
                }
              }};
}

}  // namespace baton::worker
