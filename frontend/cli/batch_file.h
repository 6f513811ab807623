// The files of `baton run-batch`: what each line of the input asks for, and the line that answers
// it, both as in OpenAI's batches and in vLLM's `run-batch`.
//
// Threading: pure functions.
// Errors:    INVALID_ARGUMENT naming the line for one that is no request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace baton::frontend {

struct BatchRequest {
  std::string custom_id;
  std::string path;  // below /v1
  std::string body;  // JSON
  // Why nobody is to be asked; it is the request's answer.
  std::optional<std::string> refusal;
};

// Lines without a word do not count.
absl::StatusOr<std::vector<BatchRequest>> ParseBatch(std::string_view text);

// What came of a request.
struct BatchAnswer {
  long http_status = 0;  // 0: there was no answer
  std::string body;      // or why there was none
};

// The line of the output, without its end.
std::string BatchLine(const BatchRequest& request, const BatchAnswer& answer);

}  // namespace baton::frontend
