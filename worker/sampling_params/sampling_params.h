// How the next token of a sequence is chosen: plain data, validated where it enters the worker.
//
// The default order of application is vLLM's: bans and biases, penalties, then greedy or
// temperature → the truncations → draw. Log-probabilities come from the raw logits, unless asked
// for otherwise.
//
// Threading: immutable once a request holds it.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/ids.h"

namespace baton::worker {

class DryBreakers;
class InfillTokens;

struct DryParams {
  float multiplier = 0.0f;  // 0: off
  float base = 1.75f;
  int32_t allowed_length = 2;
  int32_t last_n = std::numeric_limits<int32_t>::max();   // tokens looked at
  std::shared_ptr<const DryBreakers> breakers = nullptr;  // null: none
};

struct MirostatParams {
  int32_t version = 0;  // 1 or 2; 0: off
  float tau = 5.0f;
  float eta = 0.1f;
};

// How long the output may think before the marker that ends it is forced. Marks are sequences of
// tokens, none of them empty; the last one in the output says whether it is thinking.
struct ThinkingBudget {
  int32_t tokens = 0;
  std::vector<std::vector<TokenId>> openers = {};
  std::vector<std::vector<TokenId>> closers = {};
  std::vector<TokenId> forced_end = {};
  std::optional<int32_t> spent_in_prompt = {};  // set: the prompt leaves the thinking open
};

struct SamplingParams {
  float temperature = 1.0f;  // below 1e-5: greedy
  int32_t top_k = 0;         // 0: off
  float top_p = 1.0f;        // 1: off
  float min_p = 0.0f;        // 0: off

  float repetition_penalty = 1.0f;  // prompt and output
  float presence_penalty = 0.0f;    // output
  float frequency_penalty = 0.0f;   // output
  // Set: all three penalties look at the last N tokens of prompt and output.
  std::optional<int32_t> penalty_last_n = {};
  std::vector<std::pair<TokenId, float>> logit_bias = {};  // sorted
  std::vector<TokenId> allowed_token_ids = {};             // sorted; empty: all
  std::vector<std::vector<TokenId>> bad_words = {};        // none is empty

  float typical_p = 1.0f;       // 1: off
  float dynatemp_range = 0.0f;  // 0: off
  float dynatemp_exponent = 1.0f;
  float top_n_sigma = 0.0f;      // 0: off
  float xtc_probability = 0.0f;  // 0: off
  float xtc_threshold = 0.1f;    // above 0.5: off
  DryParams dry = {};
  MirostatParams mirostat = {};
  std::optional<ThinkingBudget> thinking = {};
  int32_t min_keep = 1;  // tokens that a truncation leaves at least

  // Samplers to run, by their index in samplers.def. Empty: all, in that order.
  std::vector<uint8_t> order = {};
  std::shared_ptr<const InfillTokens> infill = nullptr;  // set where the order names infill

  uint64_t seed = 0;  // keys Philox together with the choice and the output position

  int32_t max_tokens = 0;  // 0: up to the model's length
  int32_t min_tokens = 0;
  std::vector<TokenId> stop_token_ids = {};  // without the model's own end tokens
  bool ignore_eos = false;

  // Absent: none. N: the sampled token's and the N most likely ones'.
  std::optional<int32_t> logprobs = {};
  std::optional<int32_t> prompt_logprobs = {};
  std::vector<TokenId> logprob_token_ids = {};  // instead of the most likely ones
  bool post_sampling_probs = false;             // of the distribution that is drawn from

  bool dynamic_temperature() const { return dynatemp_range > 0.0f && mirostat.version == 0; }
  bool greedy() const { return temperature < 1e-5f && !dynamic_temperature(); }
};

}  // namespace baton::worker
