#include "frontend/request/beam_rules.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/request_rules.h"
#include "frontend/stream/beam_search.h"

namespace baton::frontend {
namespace {

absl::Status RefuseWithBeams(std::string_view field) {
  return WithField(
      Unimplemented(absl::StrCat("`", ToAbsl(field), "` is not supported with beam search.")),
      field);
}

// The first field that a search would have to ignore although it decides about the answer.
absl::Status CheckOthers(const GenerationRequest& request) {
  const SamplingOptions& sampling = request.sampling;
  const SamplerOptions& samplers = request.samplers;
  const std::pair<bool, std::string_view> others[] = {
      {!sampling.logit_bias.empty() || !samplers.biases.empty(), "logit_bias"},
      {samplers.allowed_token_ids.has_value(), "allowed_token_ids"},
      {!samplers.bad_words.empty(), "bad_words"},
      {!sampling.stop.empty(), "stop"},
      {!sampling.stop_token_ids.empty(), "stop_token_ids"},
      {sampling.min_tokens > 0, "min_tokens"},
      {sampling.presence_penalty != 0, "presence_penalty"},
      {sampling.frequency_penalty != 0, "frequency_penalty"},
      {sampling.repetition_penalty.value_or(1) != 1, "repetition_penalty"},
      {samplers.repeat_penalty.value_or(1) != 1, "repeat_penalty"},
      {samplers.dry_multiplier.value_or(0) != 0, "dry_multiplier"},
      {samplers.post_sampling_probs, "post_sampling_probs"},
      {samplers.prompt_logprobs.has_value(), "prompt_logprobs"},
      {sampling.thinking_token_budget.has_value(), "thinking_token_budget"},
      {sampling.repetition.max_pattern_size > 0, "repetition_detection"},
      {request.completion.suffix.has_value(), "suffix"},
  };
  for (const auto& [present, field] : others) {
    if (present) return RefuseWithBeams(field);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBeams(const GenerationRequest& request, GenerationEndpoint endpoint) {
  if (!request.sampling.use_beam_search) return absl::OkStatus();
  if (request.output.stream) {
    return InvalidArgument("Streaming is not currently supported with beam search");
  }
  if (!request.samplers.logprob_token_ids.empty()) {
    return ParameterError("`logprob_token_ids` is not supported with beam search.",
                          "logprob_token_ids", "");
  }
  if (endpoint == GenerationEndpoint::kCompletion && request.echo &&
      request.output.logprobs.has_value()) {
    return ParameterError(
        "`echo` with `logprobs` is not supported with beam search because beam search does not "
        "compute prompt logprobs.",
        "echo", "");
  }
  if (!std::isfinite(request.sampling.length_penalty)) {
    return ParameterError("length_penalty must be finite.", "length_penalty", "");
  }
  return CheckOthers(request);
}

absl::Status AddBeams(const GenerationRequest& request, const ModelLimits& limits,
                      GenerationSpec& spec) {
  if (!request.sampling.use_beam_search) return absl::OkStatus();
  const uint32_t alternatives = BeamSearch::AlternativesFor(static_cast<uint32_t>(request.n));
  if (alternatives > limits.LogprobsMax()) {
    return ParameterError(
        absl::StrCat("Beam search with n=", request.n, " looks at ", alternatives,
                     " log-probabilities per token, more than max allowed: ", limits.LogprobsMax()),
        "n", absl::StrCat(request.n));
  }
  if (request.constraint.has_value()) {
    const bool of_format = request.constraint_input.response_format.has_value();
    const bool of_field = request.constraint_input.structured_count > 0;
    return RefuseWithBeams(of_format  ? "response_format"
                           : of_field ? request.constraint_input.structured_field
                                      : std::string_view("tools"));
  }
  spec.beams = BeamOptions{.length_penalty = request.sampling.length_penalty};
  return absl::OkStatus();
}

}  // namespace baton::frontend
