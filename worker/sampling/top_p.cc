// top_p: keeps the smallest set of the likeliest tokens whose probability reaches p.
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {

SamplerStage Stage_top_p() {
  return {.stochastic = true,
          .active = [](const SampleRequest& request) { return request.params->top_p < 1.0f; },
          .apply =
              [](const SampleRequest& request, Candidates& candidates) {
                candidates.KeepMass(request.params->top_p, request.params->min_keep);
              }};
}

}  // namespace baton::worker
