// top_k: keeps the k likeliest tokens.
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {

SamplerStage Stage_top_k() {
  return {.stochastic = true,
          .active = [](const SampleRequest& request) { return request.params->top_k > 0; },
          .apply = [](const SampleRequest& request,
                      Candidates& candidates) { candidates.KeepTop(request.params->top_k); }};
}

}  // namespace baton::worker
