// top_n_sigma n: bans the tokens below n standard deviations from the largest logit. What is banned
// does not count. Banned and not cut, as in llama.cpp: samplers behind it that ask how many tokens
// are left count all.
#include <cmath>
#include <limits>

#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

void Apply(const SampleRequest& request, Candidates& candidates) {
  if (candidates.kept_count() < 2) return;
  const absl::Span<float> logits = candidates.MutableLogits();
  double sum = 0;
  int32_t count = 0;
  for (float logit : logits) {
    if (!(logit > kMinusInfinity)) continue;
    sum += static_cast<double>(logit);
    ++count;
  }
  if (count == 0) return;
  const double mean = sum / count;
  double squares = 0;
  for (float logit : logits) {
    if (!(logit > kMinusInfinity)) continue;
    squares += (static_cast<double>(logit) - mean) * (static_cast<double>(logit) - mean);
  }
  const auto sigma = static_cast<float>(std::sqrt(squares / count));
  const float floor = candidates.Max() - request.params->top_n_sigma * sigma;
  for (float& logit : logits) {
    if (logit < floor) logit = kMinusInfinity;
  }
}

}  // namespace

SamplerStage Stage_top_n_sigma() {
  return {.stochastic = true,
          .active = [](const SampleRequest& request) { return request.params->top_n_sigma > 0.0f; },
          .apply = Apply};
}

}  // namespace baton::worker
