#include "frontend/llama/llama_error.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

constexpr absl::string_view kContextSize = "baton/llama_context_size";

struct Kind {
  int http_status;
  std::string_view type;
};

Kind KindOf(const absl::Status& status) {
  if (status.GetPayload(kContextSize).has_value()) return {400, "exceed_context_size_error"};
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return {400, "invalid_request_error"};
    case absl::StatusCode::kUnauthenticated:
      return {401, "authentication_error"};
    case absl::StatusCode::kPermissionDenied:
      return {403, "permission_error"};
    case absl::StatusCode::kNotFound:
      return {404, "not_found_error"};
    case absl::StatusCode::kUnimplemented:
      return {501, "not_supported_error"};
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
      return {503, "unavailable_error"};
    default:
      return {500, "server_error"};
  }
}

}  // namespace

absl::Status ContextSizeError(size_t prompt_tokens, size_t context_tokens) {
  absl::Status status = InvalidArgument(
      absl::StrCat("request (", prompt_tokens, " tokens) exceeds the available context size (",
                   context_tokens, " tokens), try increasing it"));
  status.SetPayload(kContextSize, absl::Cord(absl::StrCat(",\"n_prompt_tokens\":", prompt_tokens,
                                                          ",\"n_ctx\":", context_tokens)));
  return status;
}

std::string LlamaErrorBody(const absl::Status& status) {
  const Kind kind = KindOf(status);
  std::string body = absl::StrCat("{\"error\":{\"code\":", kind.http_status, ",\"message\":");
  const bool ours = kind.http_status == 500;
  AppendJsonString(ours ? std::string_view("Internal server error") : ToStd(status.message()),
                   &body);
  absl::StrAppend(&body, ",\"type\":\"", ToAbsl(kind.type), "\"");
  if (const auto sizes = status.GetPayload(kContextSize)) {
    absl::StrAppend(&body, std::string(*sizes));
  }
  body += "}}";
  return body;
}

HttpResponse LlamaErrorResponse(const absl::Status& status) {
  HttpResponse response{.status = KindOf(status).http_status,
                        .headers = {{"content-type", "application/json; charset=utf-8"}},
                        .body = LlamaErrorBody(status)};
  if (const auto retry = RetryAfter(status)) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*retry).count();
    response.headers.emplace_back("retry-after", absl::StrCat(std::max<int64_t>(1, seconds)));
  }
  return response;
}

}  // namespace baton::frontend
