#include "worker/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "common/base/check.h"
#include "worker/sampling/logit_math.h"
#include "worker/sampling/philox.h"

namespace baton::worker {

#define BATON_SAMPLER(name) SamplerStage Stage_##name();
#include "worker/sampling/samplers.def"
#undef BATON_SAMPLER

namespace {

std::vector<SamplerStage> AllStages() {
  return {
#define BATON_SAMPLER(name) Stage_##name(),
#include "worker/sampling/samplers.def"
#undef BATON_SAMPLER
  };
}

// What a random number is for: part of its counter, so that no two uses share one.
enum class Purpose : uint32_t { kGroupRace = 0, kTokenRace = 1 };

// The exponential times of one race, by runner.
class RaceClock {
 public:
  RaceClock(const SampleRequest& request, Purpose purpose)
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
  RaceClock group_clock(request, Purpose::kGroupRace);
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
  RaceClock token_clock(request, Purpose::kTokenRace);
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

Sampler::Sampler(int32_t vocab_size) : stages_(AllStages()), candidates_(vocab_size) {}

SampledToken Sampler::Sample(absl::Span<const float> logits, const SampleRequest& request) {
  BATON_CHECK(request.params != nullptr && !logits.empty()) << "sample: empty request";
  SampledToken sampled;
  sampled.token = Choose(logits, request);
  if (request.params->logprobs.has_value()) {
    FillLogprob(logits, *request.params->logprobs, sampled);
  }
  return sampled;
}

TokenId Sampler::Choose(absl::Span<const float> logits, const SampleRequest& request) {
  const bool greedy = request.params->greedy();
  candidates_.Reset(logits);
  for (const SamplerStage& stage : stages_) {
    if (stage.stochastic && greedy) break;
    if (stage.active(request)) stage.apply(request, candidates_);
  }
  if (greedy) return static_cast<TokenId>(ArgMax(candidates_.logits()));
  return Race(candidates_.Weights(), request);
}

// From the raw logits, whatever the stages made of them.
void Sampler::FillLogprob(absl::Span<const float> logits, int32_t top_count,
                          SampledToken& sampled) {
  candidates_.Reset(logits);
  const double log_sum = LogSumExp(logits, candidates_.Max());
  const auto logprob = [&](TokenId token) {
    return static_cast<float>(static_cast<double>(logits[token]) - log_sum);
  };
  const auto index = static_cast<int32_t>(sampled.token);
  sampled.logprob.sampled = logprob(sampled.token);
  sampled.logprob.rank = 1 + CountBefore(logits, logits[sampled.token], index);
  for (TokenId token : candidates_.Ranked(top_count)) {
    sampled.logprob.top.emplace_back(token, logprob(token));
  }
}

}  // namespace baton::worker
