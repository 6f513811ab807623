// What was generated elsewhere, token by token, as a caller brings it to be turned back into an
// OpenAI object: whole answers, or one chunk of a stream with the state that goes with it.
//
//   ASSIGN_OR_RETURN(DerenderRequest request, ParseDerenderBody(body, GenerationEndpoint::kChat));
//   RETURN_IF_ERROR(CheckDerenderSizes(request, endpoint, limits));
//
// Threading: plain data; pure functions, any thread.
// Errors:    INVALID_ARGUMENT: a SchemaError with all that breaks the schema, or the size that is
//            beyond its bound.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/inference.pb.h"
#include "common/base/ids.h"
#include "frontend/answer/answer_format.h"
#include "frontend/request/request_parser.h"
#include "frontend/request/request_rules.h"
#include "frontend/scale_out/derender_state.h"
#include "frontend/stream/generation_types.h"

namespace baton::frontend {

// A token, and what it was worth.
struct ScoredToken {
  TokenId id = 0;
  float logprob = 0;
  std::optional<int64_t> rank;  // among all tokens, from 1
};

// A place in a text: the token that stands there, and what else was likely.
struct ScoredPlace {
  ScoredToken own;
  std::vector<ScoredToken> likeliest;
};

// One choice of a reply, or what is new in it.
struct GeneratedChoice {
  uint32_t number = 0;
  std::vector<TokenId> ids;
  std::optional<ChoiceEnd> end;
  std::optional<std::vector<ScoredPlace>> logprobs;  // of the first of `ids`
};

// What one prompt was answered with.
struct GeneratedReply {
  std::string request_id;
  std::vector<GeneratedChoice> choices;
  std::optional<AnswerUsage> usage;
  std::optional<std::vector<TokenId>> prompt_ids;
  std::optional<std::vector<ScoredPlace>> prompt_logprobs;  // of its tokens after the first
  std::optional<uint32_t> prompt_tokens;                    // as the caller counts them
};

struct DerenderRequest {
  bool stream = false;
  std::string model;
  std::vector<GeneratedReply> replies;  // one, but for several completion prompts
  std::optional<DerenderState> state;   // of a stream that has begun
  std::string original_body;            // the request that was answered; empty: not told
};

// `body` has 64 bytes of room behind its end, and so does what is found in it.
absl::StatusOr<DerenderRequest> ParseDerenderBody(std::string_view body,
                                                  GenerationEndpoint endpoint);

// What the request that was answered is called in the body.
std::string_view OriginalField(GenerationEndpoint endpoint);

// Before anything is decoded: no more than an answer of this model can have.
absl::Status CheckDerenderSizes(const DerenderRequest& request, GenerationEndpoint endpoint,
                                const ModelLimits& limits);

// In the form that workers send. With `count` each place has so many of the likeliest tokens at
// most, in order; without, those that were sent, as they were.
v1::TokenLogprobs ToTokenLogprobs(std::span<const ScoredPlace> places, std::optional<size_t> count);

}  // namespace baton::frontend
