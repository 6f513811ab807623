// Draws the next token of a sequence from the logits of its last position.
//
//   Sampler sampler(info.vocab_size);                      // one per thread: holds the workspace
//   SampledToken next = sampler.Sample(row, request);      // row: the raw logits, left unchanged
//   TokenLogprob score = sampler.Score(row, token, 5);     // of a token that is known
//
// The result is a function of the logits, the request's params, history and state, and (seed,
// choice, output position): never of the batch, the thread or earlier calls. The draw is an
// exponential race: each token arrives after a time Exp(1) / weight, the first one wins. It is run
// in two levels, groups of 64 ids and then the winning group, as the first arrival of a group is
// itself exponential with the group's summed weight: the same law for 1/64 of the random numbers.
//
// Threading: thread-compatible; one instance per thread.
// Ownership: keeps nothing of a call's arguments.
// Errors:    none. NaN is never drawn; where nothing can be drawn, the token is 0.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "worker/engine/step_plan.h"
#include "worker/sampling/candidates.h"
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {

class Sampler {
 public:
  // Allocates for rows of up to `vocab_size` logits; nothing is allocated per call afterwards,
  // except what the answer itself holds.
  explicit Sampler(int32_t vocab_size);

  // REQUIRES: 0 < logits.size() <= vocab_size.
  SampledToken Sample(absl::Span<const float> logits, const SampleRequest& request);

  // The log-probability of `token` by raw logits, and those of the `top_count` most likely tokens,
  // or of the tokens that stand instead of them. REQUIRES: all ids are below logits.size().
  TokenLogprob Score(absl::Span<const float> logits, TokenId token, int32_t top_count,
                     absl::Span<const TokenId> instead_of_top = {});

 private:
  void Apply(absl::Span<const uint8_t> order, const SampleRequest& request, bool greedy);
  static TokenId LikeliestAllowed(absl::Span<const float> logits, const SampleRequest& request);
  void Choose(absl::Span<const float> logits, const SampleRequest& request, SampledToken& sampled);
  void FillDrawn(const SamplingParams& params, SampledToken& sampled);

  // Constant after construction; the rest are indices into `stages_`.
  const std::vector<SamplerStage> stages_;
  std::vector<uint8_t> rules_;
  std::vector<uint8_t> default_order_;
  std::vector<uint8_t> exclusive_;
  std::vector<uint8_t> temperature_;

  Candidates candidates_;
};

}  // namespace baton::worker
