// What the fields of a request mean together, and what a model allows: the checks after the schema,
// and the numbers that a worker is given.
//
//   RETURN_IF_ERROR(CheckRequest(request, endpoint, options));
//   ... the model is looked up, the prompt is tokenised ...
//   ASSIGN_OR_RETURN(uint32_t max_tokens, ResolveMaxTokens(request, endpoint, limits,
//   prompt_tokens)); ASSIGN_OR_RETURN(v1::SamplingParams sampling, MakeSampling(request, limits,
//   max_tokens));
//
// Threading: pure functions, any thread.
// Errors:    INVALID_ARGUMENT with the field and the reference server's words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/inference.pb.h"
#include "frontend/client/generation_defaults.h"
#include "frontend/request/generation_request.h"
#include "frontend/request/request_parser.h"

namespace baton::frontend {

// What a model allows, and what it assumes.
struct ModelLimits {
  uint32_t max_model_len = 0;
  uint32_t vocab_size = 0;
  size_t token_bytes_max = 0;  // 0: unknown
  GenerationDefaults defaults = {};
  int64_t logprobs_max = 20;  // per token; -1: the whole vocabulary

  int64_t LogprobsMax() const { return logprobs_max < 0 ? int64_t{vocab_size} : logprobs_max; }
};

inline constexpr int64_t kSequencesMax = 16384;
// All stop strings together, in bytes; and that times the sequences that look for them.
inline constexpr size_t kStopBytesMax = 16 << 10;
inline constexpr size_t kStopBytesOfSequencesMax = 16 << 20;
inline constexpr size_t kRequestIdBytesMax = 1 << 10;
inline constexpr size_t kPromptsMax = 1024;

// Everything that needs no model.
absl::Status CheckRequest(const GenerationRequest& request, GenerationEndpoint endpoint);

// Alternatives per generated token that the client wants; absent: no log-probabilities.
std::optional<int64_t> LogprobsOf(const GenerationRequest& request, GenerationEndpoint endpoint);

// -1 log-probabilities are those of the whole vocabulary.
void CountLogprobs(GenerationRequest& request, const ModelLimits& limits);

// Before tokenising: refuses text that cannot fit however it is split.
absl::Status CheckPromptBytes(const GenerationRequest& request, const ModelLimits& limits,
                              size_t text_bytes);

// Ids of a prompt that the client tokenised itself.
absl::Status CheckPromptTokens(const std::vector<TokenId>& prompt, const ModelLimits& limits);

// Cuts the prompt as truncate_prompt_tokens asks.
absl::Status TruncatePrompt(const GenerationRequest& request, const ModelLimits& limits,
                            std::vector<TokenId>& prompt);

// The number of tokens to generate, at least 1: what was asked for, cut to the room that the prompt
// leaves and to the operator's limit.
absl::StatusOr<uint32_t> ResolveMaxTokens(const GenerationRequest& request,
                                          GenerationEndpoint endpoint, const ModelLimits& limits,
                                          size_t prompt_tokens);

// What a worker is told, with the model's defaults where the client said nothing.
absl::StatusOr<v1::SamplingParams> MakeSampling(const GenerationRequest& request,
                                                GenerationEndpoint endpoint,
                                                const ModelLimits& limits, uint32_t max_tokens);

}  // namespace baton::frontend
