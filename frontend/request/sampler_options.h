// What a request says of samplers beyond OpenAI's: vLLM's token lists and log-probabilities, and
// llama.cpp's samplers.
//
// Threading: plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/ids.h"

namespace baton::frontend {

struct SamplerOptions {
  std::optional<double> typical_p;
  std::optional<double> dynatemp_range;
  std::optional<double> dynatemp_exponent;
  std::optional<double> top_n_sigma;
  std::optional<double> xtc_probability;
  std::optional<double> xtc_threshold;
  std::optional<double> dry_multiplier;
  std::optional<double> dry_base;
  std::optional<int64_t> dry_allowed_length;
  std::optional<int64_t> dry_penalty_last_n;  // -1: all
  std::optional<std::vector<std::string>> dry_sequence_breakers;
  std::optional<int64_t> mirostat;
  std::optional<double> mirostat_tau;
  std::optional<double> mirostat_eta;
  std::optional<double> repeat_penalty;
  std::optional<int64_t> repeat_last_n;  // -1: all
  std::optional<int64_t> min_keep;
  std::optional<std::vector<std::string>> order;

  // llama.cpp's form of logit_bias: of a token, or of all tokens of a text.
  std::vector<std::pair<std::variant<TokenId, std::string>, float>> biases;

  std::optional<std::vector<int64_t>> allowed_token_ids;
  std::vector<std::string> bad_words;
  std::optional<int64_t> prompt_logprobs;
  std::vector<int64_t> logprob_token_ids;
  std::optional<int64_t> n_probs;
  bool post_sampling_probs = false;
};

// Whose order and defaults apply where a request says nothing.
enum class ApiPreset { kOpenAi, kLlamaCpp };

}  // namespace baton::frontend
