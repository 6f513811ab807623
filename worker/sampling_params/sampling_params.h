// How the next token of a sequence is chosen: plain data, validated where it enters the worker.
//
// The order of application is vLLM's: bans (min_tokens), logit bias, penalties, then greedy or
// temperature → min-p → top-k → top-p → draw. Log-probabilities come from the raw logits.
//
// Threading: immutable once a request holds it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/ids.h"

namespace baton::worker {

struct SamplingParams {
  float temperature = 1.0f;  // below 1e-5: greedy
  int32_t top_k = 0;         // 0: off
  float top_p = 1.0f;        // 1: off
  float min_p = 0.0f;        // 0: off

  float repetition_penalty = 1.0f;  // prompt and output
  float presence_penalty = 0.0f;    // output
  float frequency_penalty = 0.0f;   // output
  std::vector<std::pair<TokenId, float>> logit_bias = {};

  uint64_t seed = 0;  // keys Philox together with the choice and the output position

  int32_t max_tokens = 0;  // 0: up to the model's length
  int32_t min_tokens = 0;
  std::vector<TokenId> stop_token_ids = {};  // without the model's own end tokens
  bool ignore_eos = false;

  // Absent: none. N: the sampled token's and the N most likely ones'.
  std::optional<int32_t> logprobs = {};

  bool greedy() const { return temperature < 1e-5f; }
};

}  // namespace baton::worker
