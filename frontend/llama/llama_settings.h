// The generation settings of llama.cpp's server: their names, defaults and limits, read from a body
// and shown in answers.
//
//   LlamaSettings settings;
//   RETURN_IF_ERROR(ReadLlamaSettings(body, settings));
//   nlohmann::ordered_json shown = ShowLlamaSettings(settings);
//
// Threading: plain data, pure functions.
// Errors:    INVALID_ARGUMENT in llama.cpp's words: "Field 'n_predict': Value must be …".
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "baton/v1/inference.pb.h"
#include "common/base/ids.h"
#include "common/json/json.h"
#include "common/text/tokenizer/tokenizer.h"
#include "frontend/request/sampler_options.h"

namespace baton::frontend {

struct LlamaSettings {
  static constexpr int64_t kRandomSeed = 4294967295;

  int64_t seed = kRandomSeed;
  float temperature = 0.8f;
  float dynatemp_range = 0;
  float dynatemp_exponent = 1;
  int64_t top_k = 40;
  float top_p = 0.95f;
  float min_p = 0.05f;
  float top_n_sigma = -1;
  float xtc_probability = 0;
  float xtc_threshold = 0.1f;
  float typical_p = 1;
  int64_t repeat_last_n = 64;
  float repeat_penalty = 1;
  float presence_penalty = 0;
  float frequency_penalty = 0;
  float dry_multiplier = 0;
  float dry_base = 1.75f;
  int64_t dry_allowed_length = 2;
  int64_t dry_penalty_last_n = 64;
  std::vector<std::string> dry_sequence_breakers = {"\n", ":", "\"", "*"};
  int64_t mirostat = 0;
  float mirostat_tau = 5;
  float mirostat_eta = 0.1f;
  std::vector<std::string> stop;
  int64_t n_predict = -1;
  int64_t n_keep = 0;
  int64_t n_discard = 0;
  int64_t t_max_predict_ms = -1;
  int64_t n_indent = 0;
  bool ignore_eos = false;
  bool stream = false;
  SamplerOptions biases;  // of which `biases` alone is used
  int64_t n_probs = 0;
  int64_t min_keep = 0;
  std::vector<std::string> samplers;  // ReadLlamaSettings fills in the default order
  bool timings_per_token = false;
  bool post_sampling_probs = false;
  std::string grammar;  // shown; what it means is LlamaRequest::constraint
};

absl::Status ReadLlamaSettings(const Json& body, LlamaSettings& settings);

// `biases` as tokens are shown only where a tokenizer is given.
nlohmann::ordered_json ShowLlamaSettings(const LlamaSettings& settings,
                                         const Tokenizer* tokenizer = nullptr);

// What a worker is told. `max_tokens` is what n_predict comes to.
absl::StatusOr<v1::SamplingParams> SamplingOf(const LlamaSettings& settings,
                                              const Tokenizer& tokenizer, uint32_t max_tokens);

}  // namespace baton::frontend
