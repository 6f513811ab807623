#include "frontend/request/request_rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/json/json_writer.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/beam_rules.h"
#include "frontend/request/token_pieces.h"

namespace baton::frontend {
namespace {

constexpr int64_t kCompletionMaxTokens = 16;  // the endpoint's own default
constexpr double kTemperatureMin = 0.01;      // below it, and not zero, rounding would decide
// What workers take: beyond it, a penalised logit would not be finite any more.
constexpr double kRepetitionPenaltyMin = 0.001;
constexpr double kRepetitionPenaltyMax = 1000;

// A number as the reference server prints it: 3.0, not 3.
std::string Real(double value) {
  std::string text;
  AppendJsonDouble(value, &text);
  return text;
}

absl::Status RealOutside(std::string_view name, std::string_view range, double value,
                         bool name_parameter) {
  const std::string message =
      absl::StrCat(ToAbsl(name), " must be ", ToAbsl(range), ", got ", Real(value), ".");
  return name_parameter ? ParameterError(message, name, Real(value)) : InvalidArgument(message);
}

absl::Status CheckSampling(const SamplingOptions& sampling) {
  if (sampling.temperature.has_value()) {
    const double t = *sampling.temperature;
    if (t < 0) return RealOutside("temperature", "non-negative", t, true);
    if (t > 2) return RealOutside("temperature", "in [0, 2]", t, true);
  }
  if (sampling.top_p.has_value() && !(*sampling.top_p > 0 && *sampling.top_p <= 1)) {
    return RealOutside("top_p", "in (0, 1]", *sampling.top_p, true);
  }
  if (sampling.top_k.has_value() && *sampling.top_k < -1) {
    return InvalidArgument(
        absl::StrCat("top_k must be 0 (disable), or at least 1, got ", *sampling.top_k, "."));
  }
  if (sampling.min_p.has_value() && !(*sampling.min_p >= 0 && *sampling.min_p <= 1)) {
    return RealOutside("min_p", "in [0, 1]", *sampling.min_p, false);
  }
  if (sampling.repetition_penalty.has_value()) {
    const double penalty = *sampling.repetition_penalty;
    if (!(penalty > 0))
      return RealOutside("repetition_penalty", "greater than zero", penalty, false);
    if (!(penalty >= kRepetitionPenaltyMin && penalty <= kRepetitionPenaltyMax)) {
      return RealOutside("repetition_penalty", "in [0.001, 1000]", penalty, true);
    }
  }
  if (std::abs(sampling.presence_penalty) > 2) {
    return RealOutside("presence_penalty", "in [-2, 2]", sampling.presence_penalty, false);
  }
  if (std::abs(sampling.frequency_penalty) > 2) {
    return RealOutside("frequency_penalty", "in [-2, 2]", sampling.frequency_penalty, false);
  }
  if (!sampling.unreadable_thinking_budget.empty()) {
    return ParameterError(
        "`thinking_token_budget` must be a non-negative integer or -1 for unlimited.",
        "thinking_token_budget", sampling.unreadable_thinking_budget);
  }
  for (const std::string& stop : sampling.stop) {
    if (stop.empty()) return InvalidArgument("stop cannot contain an empty string.");
  }
  return absl::OkStatus();
}

// Every sequence looks for them, and holds back what could become one.
absl::Status CheckStopBytes(const GenerationRequest& request) {
  size_t bytes = 0;
  for (const std::string& stop : request.sampling.stop) bytes += stop.size();
  if (bytes > kStopBytesMax) {
    return ParameterError(absl::StrCat("stop strings may have at most ", kStopBytesMax,
                                       " bytes in all, got ", bytes, "."),
                          "stop", "");
  }
  const size_t prompts = std::max<size_t>(request.completion.prompts.size(), 1);
  const size_t sequences = prompts * static_cast<size_t>(request.n);
  if (sequences * bytes <= kStopBytesOfSequencesMax) return absl::OkStatus();
  return ParameterError(
      absl::StrCat("stop strings of ", bytes, " bytes are too long for ", sequences, " sequences."),
      "stop", "");
}

absl::Status CheckRequestId(std::string_view id) {
  if (id.size() <= kRequestIdBytesMax) return absl::OkStatus();
  return ParameterError(absl::StrCat("request_id may have at most ", kRequestIdBytesMax, " bytes."),
                        "request_id", "");
}

absl::Status CheckSalt(std::string_view salt) {
  if (salt.empty()) {
    return ParameterError("Parameter 'cache_salt' must be a non-empty string if provided.",
                          "cache_salt", "");
  }
  constexpr std::string_view kForbidden("@/\\\0", 4);
  constexpr size_t kSaltBytesMax = 128;
  if (salt.size() <= kSaltBytesMax && salt.find_first_of(kForbidden) == std::string_view::npos) {
    return absl::OkStatus();
  }
  return ParameterError(
      "Parameter 'cache_salt' must be at most 128 characters and must not contain '@', '/', "
      "'\\\\', "
      "or NUL.",
      "cache_salt", "");
}

absl::Status CheckRepetition(const RepetitionOptions& repetition) {
  if (repetition.min_pattern_size < 0 ||
      repetition.max_pattern_size < repetition.min_pattern_size) {
    return InvalidArgument(
        "max_pattern_size, min_pattern_size must be >=0, with min_pattern_size <= "
        "max_pattern_size. Set both to 0 to disable repetitive pattern detection.");
  }
  if (repetition.max_pattern_size > 0 && repetition.min_count < 2) {
    return InvalidArgument(
        "min_count must be >= 2 to detect repetitive patterns in engine output. Set "
        "max_pattern_size to 0 to detect none.");
  }
  return absl::OkStatus();
}

absl::Status CheckLengths(const GenerationRequest& request, GenerationEndpoint endpoint) {
  const SamplingOptions& sampling = request.sampling;
  const bool only_echo =
      endpoint == GenerationEndpoint::kCompletion && request.echo && sampling.max_tokens == 0;
  if (sampling.max_tokens.has_value() && *sampling.max_tokens < 1 && !only_echo) {
    const std::string message =
        absl::StrCat("max_tokens must be at least 1, got ", *sampling.max_tokens, ".");
    return ParameterError(message, "max_tokens", absl::StrCat(*sampling.max_tokens));
  }
  if (sampling.min_tokens < 0) {
    return InvalidArgument(absl::StrCat("min_tokens must be greater than or equal to 0, got ",
                                        sampling.min_tokens, "."));
  }
  if (request.n < 1) {
    return InvalidArgument(absl::StrCat("n must be at least 1, got ", request.n, "."));
  }
  if (request.n > kSequencesMax) {
    return InvalidArgument(
        absl::StrCat("n must be at most ", kSequencesMax, ", got ", request.n, "."));
  }
  const int64_t prompts = static_cast<int64_t>(request.completion.prompts.size());
  if (endpoint == GenerationEndpoint::kCompletion && prompts * request.n > kSequencesMax) {
    return ParameterError(absl::StrCat("n times the number of prompts must be at most ",
                                       kSequencesMax, ", got ", request.n, " * ", prompts, "."),
                          "n", absl::StrCat(request.n));
  }
  return absl::OkStatus();
}

absl::Status CheckTools(const ToolInput& tools) {
  if (tools.empty_list) {
    return ParameterError(
        "`tools` must not be an empty array. Either provide at least one tool or omit the field "
        "entirely.",
        "tools", "");
  }
  const bool chooses = tools.choice != ToolInput::Choice::kAbsent || !tools.choice_problem.empty();
  if (!chooses || tools.choice == ToolInput::Choice::kNone) return absl::OkStatus();
  if (tools.tools_json.empty()) {
    return ParameterError("When using `tool_choice`, `tools` must be set.", "tool_choice", "");
  }
  if (tools.choice_problem.empty()) return absl::OkStatus();
  return ParameterError(tools.choice_problem, tools.choice_problem_field, "");
}

absl::Status CheckChat(const GenerationRequest& request) {
  const ChatInput& chat = request.chat;
  RETURN_IF_ERROR(CheckTools(chat.tools));
  const ConstraintInput& constraint = request.constraint_input;
  if (constraint.structured_count > 0 && chat.tools.choice == ToolInput::Choice::kNamed) {
    return WithField(
        InvalidArgument(
            "You can only either use constraints for structured outputs or tools, not both."),
        constraint.structured_field);
  }
  if (chat.top_logprobs.has_value()) {
    const int64_t count = *chat.top_logprobs;
    if (count < -1) {
      return ParameterError("`top_logprobs` must be a positive value or -1.", "top_logprobs",
                            absl::StrCat(count));
    }
    if (count != 0 && !chat.logprobs.value_or(false)) {
      return ParameterError("when using `top_logprobs`, `logprobs` must be set to true.",
                            "top_logprobs", "");
    }
  }
  if (chat.continue_final_message && chat.add_generation_prompt) {
    return InvalidArgument(
        "continue_final_message and add_generation_prompt are not compatible: set "
        "`add_generation_prompt` to false to let the model go on with the final message.");
  }
  if (chat.messages_json == "[]" || chat.messages_json.empty()) {
    return InvalidArgument(
        "Cannot apply chat template to an empty conversation. Provide at least one message.");
  }
  return absl::OkStatus();
}

absl::Status CheckCompletion(const GenerationRequest& request) {
  const CompletionInput& input = request.completion;
  if (request.output.logprobs.has_value() && *request.output.logprobs < -1) {
    return ParameterError("`logprobs` must be a positive value or -1.", "logprobs",
                          absl::StrCat(*request.output.logprobs));
  }
  if (input.empty_list) return InvalidArgument("You must pass at least one prompt");
  if (input.prompts.empty()) {
    return ParameterError("Either prompt or prompt_embeds must be provided and non-empty.",
                          "prompt", "");
  }
  if (input.prompts.size() > kPromptsMax) {
    return ParameterError(absl::StrCat("prompt list length ", input.prompts.size(),
                                       " exceeds the maximum allowed count of ", kPromptsMax, "."),
                          "prompt", "");
  }
  return absl::OkStatus();
}

absl::Status CheckTokenLevel(const GenerationRequest& request) {
  const TokenLevelInput& input = *request.token_level;
  if (request.completion.prompts.empty()) return InvalidArgument("token_ids must not be empty");
  const std::optional<int64_t>& logprobs = request.output.logprobs;
  if (logprobs.has_value() && *logprobs < -1) {
    return ParameterError(absl::StrCat("logprobs must be non-negative or -1, got ", *logprobs, "."),
                          "logprobs", absl::StrCat(*logprobs));
  }
  const auto named = static_cast<int64_t>(request.samplers.logprob_token_ids.size());
  if (logprobs.has_value() && named > 0 && *logprobs != named) {
    return ParameterError(
        absl::StrCat("When both logprobs and logprob_token_ids are set, logprobs must equal "
                     "len(logprob_token_ids). Got logprobs=",
                     *logprobs, ", len(logprob_token_ids)=", named, "."),
        "logprob_token_ids", absl::StrCat(named));
  }
  if (input.detokenize) return absl::OkStatus();
  if (input.wants_text) {
    return SchemaError("output_mode='text' requires sampling_params.detokenize to be true", "body");
  }
  if (request.sampling.stop.empty()) return absl::OkStatus();
  return InvalidArgument(
      "stop strings are only supported when detokenize is True. Set detokenize=True to use stop.");
}

absl::Status CheckInput(const GenerationRequest& request, GenerationEndpoint endpoint) {
  switch (endpoint) {
    case GenerationEndpoint::kChat:
      return CheckChat(request);
    case GenerationEndpoint::kCompletion:
      return CheckCompletion(request);
    case GenerationEndpoint::kTokens:
      break;
  }
  return CheckTokenLevel(request);
}

absl::Status TooManyLogprobs(int64_t count, const ModelLimits& limits) {
  return ParameterError(absl::StrCat("Requested sample logprobs of ", count,
                                     ", which is greater than max allowed: ", limits.LogprobsMax()),
                        "logprobs", absl::StrCat(count));
}

// "[1, 2]", as lists are shown in messages; of a long one the beginning.
template <typename Item>
std::string ShownList(std::span<const Item> items, std::string_view quote) {
  constexpr size_t kShownMax = 32;
  const std::span<const Item> shown = items.first(std::min(items.size(), kShownMax));
  const auto append = [quote](std::string* out, const Item& item) {
    absl::StrAppend(out, ToAbsl(quote), item, ToAbsl(quote));
  };
  return absl::StrCat("[", absl::StrJoin(shown, ", ", append),
                      shown.size() < items.size() ? ", ...]" : "]");
}

absl::Status OutsideVocabulary(std::string_view name, const std::vector<int64_t>& ids,
                               const ModelLimits& limits) {
  const std::string list = ShownList<int64_t>(ids, "");
  return ParameterError(
      absl::StrCat("token_id(s) ", list, " in ", ToAbsl(name),
                   " contain out-of-vocab token ids. Vocabulary size: ", limits.vocab_size),
      name, list);
}

absl::Status SetLogitBias(const SamplingOptions& options, const ModelLimits& limits,
                          v1::SamplingParams& sampling) {
  std::vector<std::string> unreadable;
  std::vector<int64_t> outside;
  for (const auto& [key, bias] : options.logit_bias) {
    int64_t id = 0;
    if (!absl::SimpleAtoi(key, &id)) {
      unreadable.push_back(key.substr(0, 64));
    } else if (id < 0 || id >= limits.vocab_size) {
      outside.push_back(id);
    } else {
      (*sampling.mutable_logit_bias())[static_cast<uint32_t>(id)] =
          static_cast<float>(std::clamp(bias, -100.0, 100.0));
    }
  }
  if (!unreadable.empty()) {
    const std::string list = ShownList<std::string>(unreadable, "'");
    return ParameterError(
        absl::StrCat("logit_bias contains key(s) that cannot be converted to integer token IDs: ",
                     list),
        "logit_bias", list);
  }
  return outside.empty() ? absl::OkStatus() : OutsideVocabulary("logit_bias", outside, limits);
}

absl::Status SetStopTokens(const SamplingOptions& options, const ModelLimits& limits,
                           v1::SamplingParams& sampling) {
  std::vector<int64_t> outside;
  for (const int64_t id : options.stop_token_ids) {
    if (id < 0 || id >= limits.vocab_size) {
      outside.push_back(id);
    } else {
      sampling.add_stop_token_ids(static_cast<uint32_t>(id));
    }
  }
  return outside.empty() ? absl::OkStatus() : OutsideVocabulary("stop_token_ids", outside, limits);
}

void SetDistribution(const SamplingOptions& options, const ModelLimits& limits,
                     v1::SamplingParams& sampling) {
  const GenerationDefaults& defaults = limits.defaults;
  double temperature = options.temperature.value_or(defaults.temperature.value_or(1.0));
  if (temperature > 0) temperature = std::max(temperature, kTemperatureMin);
  sampling.set_temperature(static_cast<float>(temperature));
  const int64_t top_k = options.top_k.value_or(defaults.top_k.value_or(0));
  const bool cuts = top_k > 0 && top_k < limits.vocab_size;  // the whole vocabulary: off
  sampling.set_top_k(cuts ? static_cast<uint32_t>(top_k) : 0);
  sampling.set_top_p(static_cast<float>(options.top_p.value_or(defaults.top_p.value_or(1.0))));
  sampling.set_min_p(static_cast<float>(options.min_p.value_or(defaults.min_p.value_or(0.0))));
  sampling.set_repetition_penalty(static_cast<float>(
      options.repetition_penalty.value_or(defaults.repetition_penalty.value_or(1.0))));
  sampling.set_presence_penalty(static_cast<float>(options.presence_penalty));
  sampling.set_frequency_penalty(static_cast<float>(options.frequency_penalty));
}

// The number of tokens the client asked for; 0 if it left that open.
int64_t RequestedTokens(const GenerationRequest& request, GenerationEndpoint endpoint) {
  if (request.sampling.max_tokens.has_value())
    return std::max<int64_t>(*request.sampling.max_tokens, 1);
  return endpoint == GenerationEndpoint::kCompletion ? kCompletionMaxTokens : 0;
}

absl::Status PromptTooLong(const ModelLimits& limits, size_t prompt_tokens) {
  return ParameterError(
      absl::StrCat("This model's maximum context length is ", limits.max_model_len,
                   " tokens. However, your prompt contains ", prompt_tokens,
                   " input tokens, which leaves no room for any output token. Please reduce the "
                   "length of the input prompt."),
      "input_tokens", absl::StrCat(prompt_tokens));
}

}  // namespace

absl::Status CheckRequest(const GenerationRequest& request, GenerationEndpoint endpoint) {
  const bool is_openai = endpoint != GenerationEndpoint::kTokens;
  if (is_openai && request.output.has_stream_options && !request.output.stream) {
    return ParameterError("Stream options can only be defined when `stream=True`.",
                          "stream_options", "");
  }
  if (request.cache_salt.has_value()) RETURN_IF_ERROR(CheckSalt(*request.cache_salt));
  if (request.unreadable_count.has_value()) {
    const auto& [field, value] = *request.unreadable_count;
    return ParameterError(absl::StrCat("`", field, "` must be an integer."), field, value);
  }
  RETURN_IF_ERROR(CheckInput(request, endpoint));
  RETURN_IF_ERROR(CheckSampling(request.sampling));
  RETURN_IF_ERROR(CheckRepetition(request.sampling.repetition));
  RETURN_IF_ERROR(CheckLengths(request, endpoint));
  RETURN_IF_ERROR(CheckStopBytes(request));
  RETURN_IF_ERROR(CheckRequestId(request.request_id));
  return CheckBeams(request, endpoint);
}

std::optional<int64_t> LogprobsOf(const GenerationRequest& request, GenerationEndpoint endpoint) {
  // llama.cpp's name, on either endpoint; 0 is its way to want none.
  const std::optional<int64_t>& probs = request.samplers.n_probs;
  const bool has_probs = probs.value_or(0) > 0;
  if (endpoint != GenerationEndpoint::kChat) {
    return has_probs && !request.output.logprobs.has_value() ? probs : request.output.logprobs;
  }
  if (has_probs && !request.chat.logprobs.has_value()) return probs;
  if (!request.chat.logprobs.value_or(false)) return std::nullopt;
  return request.chat.top_logprobs.value_or(0);
}

void CountLogprobs(GenerationRequest& request, const ModelLimits& limits) {
  for (std::optional<int64_t>* const count :
       {&request.output.logprobs, &request.chat.top_logprobs, &request.samplers.prompt_logprobs}) {
    if (*count == -1) *count = limits.vocab_size;
  }
}

absl::Status CheckPromptBytes(const GenerationRequest& request, const ModelLimits& limits,
                              size_t text_bytes) {
  if (limits.token_bytes_max == 0 || request.truncate_prompt_tokens.has_value()) {
    return absl::OkStatus();
  }
  const size_t bytes_max = size_t{limits.max_model_len} * limits.token_bytes_max;
  if (text_bytes <= bytes_max) return absl::OkStatus();
  return ParameterError(
      absl::StrCat("This model's maximum context length is ", limits.max_model_len,
                   " tokens. However, your prompt contains ", text_bytes,
                   " bytes of text (more than ", bytes_max,
                   ", the upper bound for that many tokens). Please reduce the length of the input "
                   "prompt."),
      "input_text", absl::StrCat(text_bytes));
}

absl::Status CheckPromptTokens(const std::vector<TokenId>& prompt, const ModelLimits& limits) {
  if (prompt.empty()) return InvalidArgument("The decoder prompt cannot be empty");
  return CheckTokenIds(prompt, limits.vocab_size);
}

absl::Status TruncatePrompt(const GenerationRequest& request, const ModelLimits& limits,
                            std::vector<TokenId>& prompt) {
  if (!request.truncate_prompt_tokens.has_value()) return absl::OkStatus();
  const int64_t length = limits.max_model_len;
  const int64_t asked = *request.truncate_prompt_tokens;
  if (asked > length) {
    return ParameterError(absl::StrCat("truncate_prompt_tokens=", asked,
                                       " cannot be greater than max_model_len = ", length,
                                       ". Please request a smaller truncation size."),
                          "truncate_prompt_tokens", absl::StrCat(asked));
  }
  // -1 leaves room for the tokens that are wanted, one at least.
  const int64_t wanted = std::max<int64_t>(request.sampling.max_tokens.value_or(1), 1);
  const size_t keep =
      static_cast<size_t>(asked < 0 ? std::max<int64_t>(length - wanted, 0) : asked);
  if (prompt.size() > keep) {
    const auto surplus = static_cast<std::ptrdiff_t>(prompt.size() - keep);
    if (request.truncation_side == TruncationSide::kLeft) {
      prompt.erase(prompt.begin(), prompt.begin() + surplus);
    } else {
      prompt.erase(prompt.end() - surplus, prompt.end());
    }
  }
  if (prompt.empty()) return InvalidArgument("The decoder prompt cannot be empty");
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> ResolveMaxTokens(const GenerationRequest& request,
                                          GenerationEndpoint endpoint, const ModelLimits& limits,
                                          size_t prompt_tokens) {
  int64_t requested = RequestedTokens(request, endpoint);
  // Tokens may ask for more than there is room for, and get what there is.
  if (requested > limits.max_model_len && endpoint != GenerationEndpoint::kTokens) {
    const std::string_view field = request.sampling.max_tokens_field;
    return ParameterError(
        absl::StrCat(ToAbsl(field), "=", requested, " cannot be greater than max_model_len=",
                     limits.max_model_len, ". Please request fewer output tokens."),
        field, absl::StrCat(requested));
  }
  const int64_t room = int64_t{limits.max_model_len} - static_cast<int64_t>(prompt_tokens);
  if (room < 1) return PromptTooLong(limits, prompt_tokens);
  if (requested == 0) requested = limits.defaults.max_new_tokens.value_or(room);
  const int64_t cap = limits.defaults.max_new_tokens_cap.value_or(room);
  requested = std::max<int64_t>(std::min({requested, cap, room}), 1);
  if (request.sampling.min_tokens > requested) {
    return InvalidArgument(absl::StrCat("min_tokens must be less than or equal to max_tokens=",
                                        requested, ", got ", request.sampling.min_tokens, "."));
  }
  return static_cast<uint32_t>(requested);
}

absl::StatusOr<v1::SamplingParams> MakeSampling(const GenerationRequest& request,
                                                GenerationEndpoint endpoint,
                                                const ModelLimits& limits, uint32_t max_tokens) {
  v1::SamplingParams sampling;
  SetDistribution(request.sampling, limits, sampling);
  RETURN_IF_ERROR(SetLogitBias(request.sampling, limits, sampling));
  RETURN_IF_ERROR(SetStopTokens(request.sampling, limits, sampling));
  if (const auto logprobs = LogprobsOf(request, endpoint)) {
    if (*logprobs > limits.LogprobsMax()) return TooManyLogprobs(*logprobs, limits);
    sampling.set_logprobs(static_cast<uint32_t>(*logprobs));
  }
  if (request.sampling.seed.has_value() && *request.sampling.seed != -1) {
    sampling.set_seed(static_cast<uint64_t>(*request.sampling.seed));
  }
  sampling.set_max_tokens(max_tokens);
  sampling.set_min_tokens(static_cast<uint32_t>(request.sampling.min_tokens));
  sampling.set_ignore_eos(request.sampling.ignore_eos);
  return sampling;
}

}  // namespace baton::frontend
