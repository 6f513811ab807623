#include "frontend/responses/response_object.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

void AppendUsage(const ResponseUsage& usage, std::string* out) {
  absl::StrAppend(out, "{\"input_tokens\":", usage.input_tokens,
                  ",\"input_tokens_details\":{\"cached_tokens\":", usage.cached_tokens,
                  "},\"output_tokens\":", usage.output_tokens,
                  ",\"output_tokens_details\":{\"reasoning_tokens\":", usage.reasoning_tokens,
                  "},\"total_tokens\":", usage.input_tokens + usage.output_tokens, "}");
}

}  // namespace

ResponseObject::ResponseObject(std::string id, int64_t created_at, std::string_view model,
                               std::string_view echo_json)
    : id_(std::move(id)),
      fixed_json_(absl::StrCat("\"id\":", QuoteJson(id_),
                               ",\"object\":\"response\",\"created_at\":", created_at,
                               ",\"model\":", QuoteJson(model), ",", ToAbsl(echo_json))) {}

std::string ResponseObject::Json(const ResponseState& state) const {
  std::string json = absl::StrCat("{", fixed_json_, ",\"status\":\"", ToAbsl(state.status),
                                  "\",\"error\":", ToAbsl(state.error_json));
  absl::StrAppend(&json, ",\"completed_at\":",
                  state.completed_at.has_value() ? absl::StrCat(*state.completed_at) : "null");
  if (state.incomplete_reason.empty()) {
    json += ",\"incomplete_details\":null";
  } else {
    absl::StrAppend(&json, ",\"incomplete_details\":{\"reason\":\"",
                    ToAbsl(state.incomplete_reason), "\"}");
  }
  absl::StrAppend(&json, ",\"output\":", ToAbsl(state.output_json), ",\"usage\":");
  if (state.usage.has_value()) {
    AppendUsage(*state.usage, &json);
  } else {
    json += "null";
  }
  json += '}';
  return json;
}

std::string ResponseErrorJson(int http_status, std::string_view message) {
  return absl::StrCat("{\"code\":\"", http_status < 500 ? "invalid_prompt" : "server_error",
                      "\",\"message\":", QuoteJson(message), "}");
}

void ResponseEvents::AppendResponse(std::string_view type, std::string_view response_json,
                                    std::string* out) {
  Append(type, absl::StrCat("\"response\":", ToAbsl(response_json)), out);
}

void ResponseEvents::Append(std::string_view type, std::string_view members, std::string* out) {
  absl::StrAppend(out, "event: ", ToAbsl(type), "\ndata: {\"type\":\"", ToAbsl(type),
                  "\",\"sequence_number\":", next_++, ",", ToAbsl(members), "}\n\n");
}

}  // namespace baton::frontend
