// temperature T: z / T. With a range it is dynamic: between T - range and T + range, the nearer to
// the upper end the nearer the entropy of the kept tokens is to the largest possible one:
// low + (high - low) * (H / ln n)^exponent.
#include <algorithm>
#include <cmath>

#include "worker/sampling/logit_math.h"
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

void ApplyDynamic(const SamplingParams& params, Candidates& candidates) {
  const int32_t count = candidates.kept_count();
  if (count < 2) return;
  const float low = std::max(0.0f, params.temperature - params.dynatemp_range);
  const float high = params.temperature + params.dynatemp_range;
  const auto share = static_cast<float>(candidates.Entropy() / std::log(count));
  const float temperature =
      low + (high - low) * std::pow(std::max(0.0f, share), params.dynatemp_exponent);
  if (temperature > 0.0f) {
    Scale(candidates.MutableLogits(), 1.0f / temperature);
  } else {
    candidates.KeepTop(1);
  }
}

}  // namespace

SamplerStage Stage_temperature() {
  return {.stochastic = true,
          .active =
              [](const SampleRequest& request) {
                return request.params->temperature != 1.0f || request.params->dynamic_temperature();
              },
          .apply =
              [](const SampleRequest& request, Candidates& candidates) {
                const SamplingParams& params = *request.params;
                if (params.dynamic_temperature()) return ApplyDynamic(params, candidates);
                if (params.greedy()) return candidates.KeepTop(1);
                Scale(candidates.MutableLogits(), 1.0f / params.temperature);
              }};
}

}  // namespace baton::worker
