#include "worker/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "common/base/check.h"
#include "worker/sampling/logit_math.h"
#include "worker/sampling/philox.h"
#include "worker/sampling/sampler_order.h"

namespace baton::worker {

namespace {

// The exponential times of one race, by runner.
class RaceClock {
 public:
  RaceClock(const SampleRequest& request, RandomPurpose purpose)
      : seed_(request.params->seed),
        position_(static_cast<uint32_t>(request.output_position)),
        choice_(static_cast<uint32_t>(request.choice)),
        purpose_(static_cast<uint32_t>(purpose)) {}

  // Exp(1) for `runner`; consecutive runners share a Philox block.
  double Time(uint32_t runner) {
    if (const uint32_t block = runner / 4; block != block_) {
      block_ = block;
      bits_ = Philox4x32({block, position_, choice_, purpose_}, seed_);
    }
    return -std::log(OpenUnit(bits_[runner % 4]));
  }

 private:
  const uint64_t seed_;
  const uint32_t position_;
  const uint32_t choice_;
  const uint32_t purpose_;
  uint32_t block_ = std::numeric_limits<uint32_t>::max();
  PhiloxBlock bits_{};
};

constexpr size_t kGroup = 64;

double GroupWeight(absl::Span<const float> group) {
  float sum = 0;
  for (float weight : group) sum += weight;
  return static_cast<double>(sum);
}

// The winner of the race over `weights`, or 0 if all are zero.
TokenId Race(absl::Span<const float> weights, const SampleRequest& request) {
  RaceClock group_clock(request, RandomPurpose::kGroupRace);
  double first = std::numeric_limits<double>::infinity();
  size_t winner = 0;
  for (size_t begin = 0; begin < weights.size(); begin += kGroup) {
    const double weight = GroupWeight(weights.subspan(begin, kGroup));
    if (weight <= 0) continue;
    const double time = group_clock.Time(static_cast<uint32_t>(begin / kGroup)) / weight;
    if (time < first) {
      first = time;
      winner = begin;
    }
  }
  RaceClock token_clock(request, RandomPurpose::kTokenRace);
  first = std::numeric_limits<double>::infinity();
  size_t token = 0;
  for (size_t i = winner; i < std::min(winner + kGroup, weights.size()); ++i) {
    if (weights[i] <= 0.0f) continue;
    const double time =
        token_clock.Time(static_cast<uint32_t>(i)) / static_cast<double>(weights[i]);
    if (time < first) {
      first = time;
      token = i;
    }
  }
  return static_cast<TokenId>(token);
}

}  // namespace

Sampler::Sampler(int32_t vocab_size) : stages_(AllSamplerStages()), candidates_(vocab_size) {
  for (size_t i = 0; i < stages_.size(); ++i) {
    const auto index = static_cast<uint8_t>(i);
    switch (stages_[i].role) {
      case StageRole::kRule:
        rules_.push_back(index);
        break;
      case StageRole::kSampler:
        default_order_.push_back(index);
        break;
      case StageRole::kExclusive:
        exclusive_.push_back(index);
        break;
    }
  }
  // Known by name, for it runs beside an exclusive one.
  const auto temperature = ParseSamplerOrder({"temperature"});
  BATON_CHECK(temperature.ok()) << temperature.status().ToString();
  temperature_ = *temperature;
}

SampledToken Sampler::Sample(absl::Span<const float> logits, const SampleRequest& request) {
  BATON_CHECK(request.params != nullptr && !logits.empty()) << "sample: empty request";
  const SamplingParams& params = *request.params;
  SampledToken sampled;
  Choose(logits, request, sampled);
  if (!params.logprobs.has_value()) return sampled;
  if (params.post_sampling_probs) {
    FillDrawn(params, sampled);
  } else {
    sampled.logprob = Score(logits, sampled.token, *params.logprobs, params.logprob_token_ids);
  }
  return sampled;
}

void Sampler::Apply(absl::Span<const uint8_t> order, const SampleRequest& request, bool greedy) {
  for (const uint8_t index : order) {
    const SamplerStage& stage = stages_[index];
    if (stage.stochastic && greedy && request.params->infill == nullptr) continue;
    if (stage.active(request)) stage.apply(request, candidates_);
  }
}

void Sampler::Choose(absl::Span<const float> logits, const SampleRequest& request,
                     SampledToken& sampled) {
  const bool greedy = request.params->greedy();
  candidates_.Reset(logits);
  Apply(rules_, request, greedy);
  const SamplerStage* exclusive = nullptr;
  for (const uint8_t index : exclusive_) {
    if (stages_[index].active(request)) exclusive = &stages_[index];
  }
  if (exclusive != nullptr) {
    Apply(temperature_, request, greedy);
    if (!greedy) exclusive->apply(request, candidates_);
  } else {
    const std::vector<uint8_t>& order = request.params->order;
    Apply(order.empty() ? default_order_ : order, request, greedy);
  }
  sampled.token = greedy ? static_cast<TokenId>(ArgMax(candidates_.logits()))
                         : Race(candidates_.Weights(), request);
  if (!IsAllowed(sampled.token, request)) sampled.token = LikeliestAllowed(logits, request);
  if (greedy) return;
  if (exclusive != nullptr && exclusive->next_state != nullptr) {
    sampled.state = exclusive->next_state(request, candidates_, sampled.token);
  }
}

// Where the other rules left nothing of what the constraint allows: it goes before them.
TokenId Sampler::LikeliestAllowed(absl::Span<const float> logits, const SampleRequest& request) {
  TokenId likeliest = 0;
  float most = -std::numeric_limits<float>::infinity();
  bool found = false;
  for (size_t i = 0; i < logits.size(); ++i) {
    const auto token = static_cast<TokenId>(i);
    if (!IsAllowed(token, request) || (found && !(logits[i] > most))) continue;
    found = true;
    most = logits[i];
    likeliest = token;
  }
  return likeliest;
}

TokenLogprob Sampler::Score(absl::Span<const float> logits, TokenId token, int32_t top_count,
                            absl::Span<const TokenId> instead_of_top) {
  candidates_.Reset(logits);
  const double log_sum = LogSumExp(logits, candidates_.Max());
  const auto logprob = [&](TokenId id) {
    return static_cast<float>(static_cast<double>(logits[id]) - log_sum);
  };
  TokenLogprob score;
  score.sampled = logprob(token);
  score.rank = 1 + CountBefore(logits, logits[token], static_cast<int32_t>(token));
  const absl::Span<const TokenId> alternatives =
      instead_of_top.empty() ? candidates_.Ranked(top_count) : instead_of_top;
  for (TokenId id : alternatives) score.top.emplace_back(id, logprob(id));
  return score;
}

// From what the stages left. A greedy request's distribution is its one token.
void Sampler::FillDrawn(const SamplingParams& params, SampledToken& sampled) {
  constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
  if (params.greedy()) {
    const TokenId only = sampled.token;
    candidates_.KeepOnly(absl::MakeConstSpan(&only, 1));
  }
  const double log_total = std::log(candidates_.TotalWeight());
  const absl::Span<const float> weights = candidates_.Weights();
  const auto logprob = [&](TokenId id) {
    const auto weight = static_cast<double>(weights[id]);
    return weight > 0 ? static_cast<float>(std::log(weight) - log_total) : kMinusInfinity;
  };
  const absl::Span<const float> logits = candidates_.logits();
  sampled.logprob.sampled = logprob(sampled.token);
  sampled.logprob.rank =
      1 + CountBefore(logits, logits[sampled.token], static_cast<int32_t>(sampled.token));
  const absl::Span<const TokenId> ids = params.logprob_token_ids;
  for (TokenId id : ids.empty() ? candidates_.Ranked(*params.logprobs) : ids) {
    sampled.logprob.top.emplace_back(id, logprob(id));
  }
}

}  // namespace baton::worker
