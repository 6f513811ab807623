// The error answers of the OpenAI-style routes: which status, which type, which `param`.
//
//   {"error":{"message":"…","type":"BadRequestError","param":"temperature","code":400}}
//
// Two kinds of bad request look different, as in vLLM: a body that breaks the schema (SchemaError:
// type "Bad Request", param "body.temperature") and a value that means nothing (any other
// INVALID_ARGUMENT: type "BadRequestError", param as WithField gave it). A known field that we do
// not support yet is UNIMPLEMENTED: 400, type "BadRequestError", with "reason":"unsupported" added.
//
// Threading: pure functions, any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "frontend/http/http_types.h"

namespace baton::frontend {

struct ApiError {
  int http_status = 500;
  std::string type;
  std::string message;
  std::optional<std::string> param;
  std::optional<std::chrono::milliseconds> retry_after;
  bool unsupported = false;
};

// A body that breaks the schema. `param` is the dotted path, from "body".
absl::Status SchemaError(std::string_view message, std::string_view param);

// The answer to a POST whose content-type is not JSON.
absl::Status UnsupportedMediaType();

// `message` gets vLLM's trailing note: " (parameter=NAME, value=VALUE)"; `value` may be empty.
absl::Status ParameterError(std::string_view message, std::string_view name,
                            std::string_view value);

// REQUIRES: !status.ok().
ApiError ToApiError(const absl::Status& status);

// The body alone, for events of a stream that has begun.
std::string ErrorBody(const ApiError& error);

// Status, body, and Retry-After in whole seconds where the error carries a time.
HttpResponse ErrorResponse(const ApiError& error);
HttpResponse ErrorResponse(const absl::Status& status);

}  // namespace baton::frontend
