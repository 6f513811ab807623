// temperature T: z / T.
#include "worker/sampling/logit_math.h"
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {

SamplerStage Stage_temperature() {
  return {
      .stochastic = true,
      .active = [](const SampleRequest& request) { return request.params->temperature != 1.0f; },
      .apply =
          [](const SampleRequest& request, Candidates& candidates) {
            Scale(candidates.MutableLogits(), 1.0f / request.params->temperature);
          }};
}

}  // namespace baton::worker
