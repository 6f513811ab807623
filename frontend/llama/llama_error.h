// Error answers in llama.cpp's shape: {"error":{"code":400,"message":"…","type":"…"}}.
//
// Threading: pure functions, any thread.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "frontend/http/http_types.h"

namespace baton::frontend {

// A prompt that does not fit: both numbers are members of the error.
absl::Status ContextSizeError(size_t prompt_tokens, size_t context_tokens);

// REQUIRES: !status.ok().
std::string LlamaErrorBody(const absl::Status& status);
HttpResponse LlamaErrorResponse(const absl::Status& status);

}  // namespace baton::frontend
