// What a generation endpoint was asked for, after the body's schema has been read: plain values,
// no JSON left except what only a chat template understands.
//
// An absent optional means that the client said nothing: the model's generation config, then the
// API's own default, apply (see sampling_defaults.h).
//
// Threading: plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/ids.h"
#include "common/constraint/constraint_spec.h"
#include "frontend/request/constraint_parameters.h"
#include "frontend/request/sampler_options.h"

namespace baton::frontend {

// Which repetitions end a choice, as they were sent; all 0: none.
struct RepetitionOptions {
  int64_t max_pattern_size = 0;
  int64_t min_pattern_size = 0;
  int64_t min_count = 0;
};

// The fields of sampling, and when to stop.
struct SamplingOptions {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int64_t> top_k;
  std::optional<double> min_p;
  std::optional<double> repetition_penalty;
  double presence_penalty = 0;
  double frequency_penalty = 0;
  std::vector<std::pair<std::string, double>> logit_bias;  // keys as sent
  std::optional<int64_t> seed;

  std::optional<int64_t> max_tokens;
  std::string_view max_tokens_field = "max_tokens";  // the one that set it
  int64_t min_tokens = 0;
  std::vector<std::string> stop;
  std::vector<int64_t> stop_token_ids;
  RepetitionOptions repetition;
  bool ignore_eos = false;

  bool use_beam_search = false;  // `n` is the width
  double length_penalty = 1;

  std::optional<int64_t> thinking_token_budget;
  std::string unreadable_thinking_budget;  // what was sent instead of a count or -1
};

// How the answer is shown.
struct OutputOptions {
  bool stream = false;
  bool has_stream_options = false;
  bool include_usage = false;
  bool continuous_usage_stats = false;
  bool include_stop_str_in_output = false;
  bool skip_special_tokens = true;
  bool spaces_between_special_tokens = true;
  bool return_tokens_as_token_ids = false;
  bool return_token_ids = false;
  bool return_token_offsets = false;  // of a rendered prompt
  // Alternatives per token; absent: no log-probabilities.
  std::optional<int64_t> logprobs;
};

// Which tools the model may call, and how the answer shows its calls and its reasoning.
struct ToolInput {
  enum class Choice { kAbsent, kNone, kAuto, kRequired, kNamed };
  std::string tools_json;  // an array, or empty
  bool empty_list = false;
  Choice choice = Choice::kAbsent;
  std::string choice_name;           // kNamed
  std::string choice_problem;        // what is wrong with the choice, in the reference's words
  std::string choice_problem_field;  // and where
  bool parallel_calls = true;
  bool deprecated_form = false;  // functions and function_call
  bool include_reasoning = true;
};

// The chat endpoint's own input. JSON texts are complete documents.
struct ChatInput {
  std::string messages_json;
  std::string last_role;             // of the last message
  std::string last_content_text;     // of the last message when it is plain text
  std::string template_kwargs_json;  // an object, or empty
  std::string documents_json;        // an array, or empty
  std::optional<std::string> chat_template;
  std::optional<std::string> reasoning_effort;
  bool add_generation_prompt = true;
  bool continue_final_message = false;
  std::optional<bool> logprobs;
  std::optional<int64_t> top_logprobs;
  bool return_prompt_text = false;
  bool has_media_parts = false;
  ToolInput tools;
};

// Text to be tokenised, or tokens. A prompt may mix both.
using PromptPiece = std::variant<std::string, std::vector<TokenId>>;
using PromptInput = std::vector<PromptPiece>;

struct CompletionInput {
  std::vector<PromptInput> prompts;
  std::optional<std::string> suffix;  // the prompts are what stands before, this what stands behind
  bool empty_list = false;            // "prompt": []
};

// What only requests of tokens say, on top of a prompt that is tokens.
struct TokenLevelInput {
  bool wants_text = false;  // output_mode
  bool detokenize = true;
  // Of what the prompt was made from; absent: whoever generates cannot know.
  std::optional<bool> reasoning_ended;
  std::vector<TokenId> quiet_stop_ids;       // see GenerationSpec
  std::vector<TokenId> kept_special_tokens;  // likewise
};

// What was sent for a count of log-probabilities that is no number at all.
struct UnreadableCount {
  std::string field;
  std::string value;
};

enum class TruncationSide { kLeft, kRight };

struct GenerationRequest {
  std::string model;
  SamplingOptions sampling;
  SamplerOptions samplers;
  OutputOptions output;
  ChatInput chat;
  CompletionInput completion;
  std::optional<TokenLevelInput> token_level;  // absent on all endpoints but that of tokens
  ConstraintInput constraint_input;
  // What the answer must match: from response_format and its kin, or from the tool choice, which
  // comes later and wins. Checked before anything is scheduled.
  std::optional<ConstraintSpec> constraint;

  std::optional<UnreadableCount> unreadable_count;
  int64_t n = 1;
  bool echo = false;
  std::optional<bool> add_special_tokens;
  std::optional<int64_t> truncate_prompt_tokens;
  TruncationSide truncation_side = TruncationSide::kLeft;
  std::optional<std::string> cache_salt;
  int64_t priority = 0;
  std::string request_id;
};

}  // namespace baton::frontend
