// min_p m: keeps the tokens at least m times as likely as the likeliest: z >= max + ln m.
#include <cmath>

#include "worker/sampling/sampler_stage.h"

namespace baton::worker {

SamplerStage Stage_min_p() {
  return {.stochastic = true,
          .active = [](const SampleRequest& request) { return request.params->min_p > 0.0f; },
          .apply =
              [](const SampleRequest& request, Candidates& candidates) {
                const SamplingParams& params = *request.params;
                candidates.KeepAtLeast(candidates.Max() + std::log(params.min_p), params.min_keep);
              }};
}

}  // namespace baton::worker
