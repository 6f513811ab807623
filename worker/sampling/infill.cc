// infill: for text between two others, where too short is better than too long. Nothing but the
// tokens that end the text is left where these are likely together; else tokens of which one begins
// the other are taken for one, and what is still unlikely goes. llama.cpp's, by its figures.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "worker/sampling/sampler_stage.h"
#include "worker/sampling_params/infill_tokens.h"

namespace baton::worker {
namespace {

constexpr float kEndsWeight = 3.0f;    // of what ends the text, for each token that is left
constexpr float kLikelyEnough = 0.2f;  // of one text token and those it is taken for

// A token that is left, in the order of their probabilities.
struct Runner {
  TokenId token;
  float p;
  bool ends;            // the text
  bool merged = false;  // into another one's p
};

bool Ends(TokenId token, const SampleRequest& request) {
  return token == request.params->infill->end() ||
         std::find(request.stop_ids.begin(), request.stop_ids.end(), token) !=
             request.stop_ids.end();
}

// Those of a probability above 0.
std::vector<Runner> RunnersOf(const SampleRequest& request, Candidates& candidates) {
  const auto total = static_cast<float>(candidates.TotalWeight());
  const absl::Span<const float> weights = candidates.Weights();
  std::vector<Runner> runners;
  for (const TokenId token : candidates.Ranked(candidates.kept_count())) {
    if (!(weights[token] > 0.0f)) continue;
    runners.push_back({token, weights[token] / total, Ends(token, request)});
  }
  return runners;
}

// Each token takes over those that it begins, in their order, or goes into the first that is
// likelier than what it has come to itself.
void MergeBeginnings(const InfillTokens& tokens, std::vector<Runner>& runners) {
  std::vector<std::pair<int32_t, size_t>> by_place;  // and rank
  for (size_t rank = 0; rank < runners.size(); ++rank) {
    by_place.emplace_back(tokens[runners[rank].token].at, rank);
  }
  std::sort(by_place.begin(), by_place.end());
  std::vector<size_t> longer;
  for (size_t rank = 0; rank < runners.size(); ++rank) {
    Runner& runner = runners[rank];
    const InfillTokens::Place place = tokens[runner.token];
    if (runner.merged || place.begin == place.end) continue;
    longer.clear();
    for (auto next = std::lower_bound(by_place.begin(), by_place.end(),
                                      std::pair<int32_t, size_t>(place.begin, 0));
         next != by_place.end() && next->first < place.end; ++next) {
      longer.push_back(next->second);
    }
    std::sort(longer.begin(), longer.end());
    for (const size_t other_rank : longer) {
      Runner& other = runners[other_rank];
      if (other_rank == rank || other.merged) continue;
      const bool into_other = other.p > runner.p;
      Runner& taken = into_other ? runner : other;
      (into_other ? other : runner).p += std::exchange(taken.p, 0.0f);
      taken.merged = true;
      if (into_other) break;
    }
  }
}

// Drops text tokens below `least`; what is left has a sum of 1.
void DropUnlikely(float least, std::vector<Runner>& runners) {
  std::erase_if(runners,
                [least](const Runner& runner) { return runner.p < least && !runner.ends; });
  float sum = 0;
  for (const Runner& runner : runners) sum += runner.p;
  for (Runner& runner : runners) runner.p /= sum;
}

void KeepRunners(const std::vector<Runner>& runners, Candidates& candidates) {
  std::vector<TokenId> tokens;
  for (const Runner& runner : runners) {
    if (!runner.merged) tokens.push_back(runner.token);
  }
  candidates.KeepOnly(tokens);
}

// Where no text is likely enough. What may not end yet goes on with what there was.
void End(const SampleRequest& request, Candidates& candidates) {
  const SamplingParams& params = *request.params;
  const std::optional<TokenId> end = params.infill->end();
  if (!end.has_value() || *end >= candidates.logits().size()) return;
  if (params.ignore_eos || request.output_position < params.min_tokens) return;
  candidates.KeepOnly(absl::MakeConstSpan(&*end, 1));
  candidates.MutableLogits()[*end] = 1.0f;
}

void Apply(const SampleRequest& request, Candidates& candidates) {
  std::vector<Runner> runners = RunnersOf(request, candidates);
  float text = 0;
  float ends = 0;
  for (const Runner& runner : runners) (runner.ends ? ends : text) += runner.p;
  if (kEndsWeight * ends * static_cast<float>(candidates.kept_count()) > text) {
    std::erase_if(runners, [](const Runner& runner) { return !runner.ends; });
    return KeepRunners(runners, candidates);
  }
  MergeBeginnings(*request.params->infill, runners);
  DropUnlikely(kLikelyEnough, runners);
  const auto texts = std::count_if(runners.begin(), runners.end(),
                                   [](const Runner& runner) { return !runner.ends; });
  if (texts == 0) return End(request, candidates);
  DropUnlikely(1.0f / static_cast<float>(texts + 1), runners);
  KeepRunners(runners, candidates);
}

}  // namespace

SamplerStage Stage_infill() {
  return {.active = [](const SampleRequest& request) { return request.params->infill != nullptr; },
          .apply = Apply};
}

}  // namespace baton::worker
