// XTC ("exclude top choices"): with the given probability, of the tokens at or above the threshold
// only the least likely one stays.
#include <cmath>

#include "worker/sampling/philox.h"
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

double Chance(const SampleRequest& request) {
  const PhiloxBlock bits = Philox4x32(
      {0, static_cast<uint32_t>(request.output_position), static_cast<uint32_t>(request.choice),
       static_cast<uint32_t>(RandomPurpose::kXtc)},
      request.params->seed);
  return OpenUnit(bits[0]);
}

void Apply(const SampleRequest& request, Candidates& candidates) {
  const SamplingParams& params = *request.params;
  const int32_t kept = candidates.kept_count();
  if (kept < 2 || Chance(request) > static_cast<double>(params.xtc_probability)) return;
  const double threshold = candidates.TotalWeight() * static_cast<double>(params.xtc_threshold);
  int32_t above = 0;
  for (float weight : candidates.Weights()) {
    above += static_cast<int32_t>(weight > 0.0f && static_cast<double>(weight) >= threshold);
  }
  if (above < 2 || kept - (above - 1) < params.min_keep) return;
  absl::Span<const TokenId> top = candidates.Ranked(above);
  candidates.Drop(top.first(top.size() - 1));
}

}  // namespace

SamplerStage Stage_xtc() {
  return {.active =
              [](const SampleRequest& request) {
                return request.params->xtc_probability > 0.0f &&
                       request.params->xtc_threshold <= 0.5f;
              },
          .apply = Apply};
}

}  // namespace baton::worker
