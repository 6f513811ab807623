// Mirostat (Basu et al., 2021): truncates so that the surprise of the drawn token, -log2 p, stays
// near tau bits. Its state mu starts at 2 tau and moves by -eta * (surprise - tau).
//
// Version 1 estimates the exponent s of a Zipf law from the 100 likeliest tokens and keeps the top
// k = ((s - 1) * 2^mu / (1 - V^(1 - s)))^(1 / s); version 2 keeps the tokens of a surprise of at
// most mu.
#include <algorithm>
#include <cmath>

#include "worker/sampling/mirostat_state.h"
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

constexpr int32_t kRanksFitted = 100;

float MuOf(const SampleRequest& request) {
  return ReadMirostatState(request.state).value_or(2.0f * request.params->mirostat.tau);
}

void KeepZipf(float mu, Candidates& candidates) {
  const absl::Span<const TokenId> top =
      candidates.Ranked(std::min(kRanksFitted, candidates.kept_count()));
  const absl::Span<const float> logits = candidates.logits();
  float products = 0;
  float squares = 0;
  for (size_t i = 0; i + 1 < top.size(); ++i) {
    const float distance = std::log(static_cast<float>(i + 2) / static_cast<float>(i + 1));
    products += distance * (logits[top[i]] - logits[top[i + 1]]);
    squares += distance * distance;
  }
  const float exponent = products / squares;
  const float excess = exponent - 1;
  const float k = std::pow(
      (excess * std::exp2(mu)) / (1 - std::pow(static_cast<float>(candidates.size()), -excess)),
      1 / exponent);
  // Also where the fit has no meaning: one token, or all alike.
  const bool usable = k >= 1 && k < static_cast<float>(candidates.size());
  if (usable || !(k >= 1)) candidates.KeepTop(usable ? static_cast<int32_t>(k) : 1);
}

// -log2 p <= mu: z >= max + ln Z - mu ln 2.
void KeepUnsurprising(float mu, Candidates& candidates) {
  constexpr double kLn2 = 0.69314718055994530942;
  const double log_total = std::log(candidates.TotalWeight());
  candidates.KeepAtLeast(static_cast<float>(static_cast<double>(candidates.Max()) + log_total -
                                            static_cast<double>(mu) * kLn2));
}

void Apply(const SampleRequest& request, Candidates& candidates) {
  const float mu = MuOf(request);
  if (request.params->mirostat.version == 1) return KeepZipf(mu, candidates);
  KeepUnsurprising(mu, candidates);
}

std::string NextState(const SampleRequest& request, Candidates& candidates, TokenId token) {
  const MirostatParams& params = request.params->mirostat;
  const double share = static_cast<double>(candidates.Weights()[token]) / candidates.TotalWeight();
  const auto surprise = static_cast<float>(-std::log2(share));
  const float mu = MuOf(request) - params.eta * (surprise - params.tau);
  return WriteMirostatState(std::isfinite(mu) ? mu : 2.0f * params.tau);
}

}  // namespace

SamplerStage Stage_mirostat() {
  return {
      .role = StageRole::kExclusive,
      .stochastic = true,
      .active = [](const SampleRequest& request) { return request.params->mirostat.version != 0; },
      .apply = Apply,
      .next_state = NextState};
}

}  // namespace baton::worker
