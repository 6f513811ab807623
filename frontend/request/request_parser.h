// Reads the body of a generation request: JSON → schema → GenerationRequest.
//
//   ASSIGN_OR_RETURN(ParsedRequest parsed,
//                    ParseGenerationBody(request.body, GenerationEndpoint::kChat, strict));
//
// What the fields mean together, and what the model allows, is request_rules.h's business.
//
// Threading: any thread; each thread reuses a parser of its own.
// Errors:    INVALID_ARGUMENT (SchemaError) for what is no JSON object or breaks the schema, all
//            problems in one message; UNIMPLEMENTED, with the field's name, for a known field that
//            would change the answer and is not supported.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "frontend/request/generation_request.h"

namespace baton::frontend {

// kTokens: tokens in, tokens out; the prompt is one completion prompt.
enum class GenerationEndpoint { kChat, kCompletion, kTokens };

// What to do with fields that are unknown, or known to change nothing.
enum class ExtraFields { kIgnore, kRefuse };

struct ParsedRequest {
  GenerationRequest request;
  int ignored_hint_count = 0;
  int ignored_unknown_count = 0;
};

absl::StatusOr<ParsedRequest> ParseGenerationBody(std::string_view body,
                                                  GenerationEndpoint endpoint, ExtraFields extra);

}  // namespace baton::frontend
