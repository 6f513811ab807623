// typ_p (locally typical) p: keeps the tokens whose surprise is nearest to the expected one, the
// entropy H, until their probability exceeds p: by |-ln p_i - H|, the lower id first among equals.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

void Apply(const SampleRequest& request, Candidates& candidates) {
  const auto entropy = static_cast<float>(candidates.Entropy());
  const double total = candidates.TotalWeight();
  const absl::Span<const float> weights = candidates.Weights();
  // A heap: of the vocabulary only the few that are kept get sorted.
  std::vector<std::pair<float, TokenId>>& heap = candidates.scored();
  heap.clear();
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0.0f) continue;
    const float surprise = -static_cast<float>(std::log(static_cast<double>(weights[i]) / total));
    heap.emplace_back(std::abs(surprise - entropy), static_cast<TokenId>(i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const double wanted = total * static_cast<double>(request.params->typical_p);
  double mass = 0;
  std::vector<TokenId> kept;
  for (auto end = heap.end(); end != heap.begin(); --end) {
    std::pop_heap(heap.begin(), end, std::greater<>());
    const TokenId token = std::prev(end)->second;
    kept.push_back(token);
    mass += static_cast<double>(weights[token]);
    if (mass > wanted && static_cast<int32_t>(kept.size()) >= request.params->min_keep) break;
  }
  if (!kept.empty()) candidates.KeepOnly(kept);
}

}  // namespace

SamplerStage Stage_typ_p() {
  return {.active = [](const SampleRequest& request) { return request.params->typical_p < 1.0f; },
          .apply = Apply};
}

}  // namespace baton::worker
