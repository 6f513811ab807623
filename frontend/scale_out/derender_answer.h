// Makes the OpenAI object of what was generated elsewhere, by the formats and parsers of the direct
// answer: the request that was answered is planned as if it were to be answered, and its tokens are
// played as if a worker had just sent them.
//
// Threading: pure functions, any thread.
// Errors:    INVALID_ARGUMENT for a request that could not have been answered, a reply that cannot
//            be read without it, and a state that no stream has; NOT_FOUND for an unknown model.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "frontend/generation/api_context.h"
#include "frontend/http/http_types.h"
#include "frontend/request/request_parser.h"

namespace baton::frontend {

// Of what was asked: a whole answer, or {"chunk":…,"stream_state":…}.
absl::StatusOr<std::string> DerenderAnswer(const ApiContext& context, const HttpRequest& http,
                                           GenerationEndpoint endpoint);

}  // namespace baton::frontend
