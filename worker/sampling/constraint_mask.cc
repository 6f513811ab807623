// What the request's constraint does not allow cannot be drawn.
#include <algorithm>
#include <limits>

#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

bool Active(const SampleRequest& request) { return !request.allowed.empty(); }

void Apply(const SampleRequest& request, Candidates& candidates) {
  const absl::Span<float> logits = candidates.MutableLogits();
  for (size_t word = 0; word * 32 < logits.size(); ++word) {
    const uint32_t bits = word < request.allowed.size() ? request.allowed[word] : 0;
    if (bits == ~uint32_t{0}) continue;
    const size_t end = std::min(logits.size(), word * 32 + 32);
    for (size_t i = word * 32; i < end; ++i) {
      if ((bits >> (i % 32) & 1) == 0) logits[i] = -std::numeric_limits<float>::infinity();
    }
  }
}

}  // namespace

SamplerStage Stage_constraint_mask() {
  return {.role = StageRole::kRule, .active = Active, .apply = Apply};
}

}  // namespace baton::worker
