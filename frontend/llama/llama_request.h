// The body of llama.cpp's native completion request.
//
//   ASSIGN_OR_RETURN(LlamaRequest request, ParseLlamaRequest(http.body));
//
// Threading: plain data, pure functions.
// Errors:    INVALID_ARGUMENT in llama.cpp's words, UNIMPLEMENTED naming a field that would change
//            the answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "frontend/llama/llama_settings.h"
#include "frontend/request/generation_request.h"

namespace baton::frontend {

struct LlamaRequest {
  LlamaSettings settings;
  std::string model;  // empty: the first
  std::vector<PromptInput> prompts;
  int64_t n = 1;
  std::optional<ConstraintSpec> constraint;  // grammar, json_schema
  bool return_tokens = false;
  bool return_progress = false;
  std::vector<std::string> response_fields;  // "timings", "generation_settings/seed"; empty: all
};

// What a body says without its prompts; `document` is an object.
absl::StatusOr<LlamaRequest> ReadLlamaOptions(const Json& document);
absl::StatusOr<LlamaRequest> ParseLlamaRequest(std::string_view body);

}  // namespace baton::frontend
