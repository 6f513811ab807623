#include "frontend/cli/batch_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

// In the order of a line's members, for eyes that compare.
using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kServed[] = {"/v1/chat/completions", "/v1/completions"};
// Known to batches, but not to models that generate text.
constexpr std::string_view kOfOtherModels[] = {"/v1/embeddings", "/v1/audio/transcriptions",
                                               "/v1/audio/translations"};

std::optional<std::string> RefusalOf(const std::string& url, const Json& body) {
  const bool is_served = std::ranges::find(kServed, url) != std::end(kServed);
  const bool is_known = std::ranges::find(kOfOtherModels, url) != std::end(kOfOtherModels) ||
                        url.ends_with("/score") || url.ends_with("/rerank");
  if (is_known) return absl::StrCat("Model does not support endpoint: ", url);
  if (!is_served) {
    return absl::StrCat("URL ", url,
                        " was used. Supported endpoints: /v1/chat/completions, /v1/completions.");
  }
  const auto stream = body.find("stream");
  if (stream != body.end() && *stream == true) return "Request must not be sent in stream mode";
  return std::nullopt;
}

absl::StatusOr<BatchRequest> ParseLine(const std::string& line) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(line));
  if (!json.is_object()) return InvalidArgument("expected a JSON object");
  BatchRequest request;
  ASSIGN_OR_RETURN(request.custom_id, GetString(json, "custom_id"));
  RETURN_IF_ERROR(GetString(json, "method").status());
  ASSIGN_OR_RETURN(const std::string url, GetString(json, "url"));
  const auto body = json.find("body");
  if (body == json.end() || !body->is_object()) {
    return InvalidArgument("`body` is not a JSON object");
  }
  request.refusal = RefusalOf(url, *body);
  if (!request.refusal.has_value()) request.path = url.substr(std::string_view("/v1").size());
  request.body = SerializeJson(*body);
  return request;
}

std::string RandomId(std::string_view prefix) {
  std::random_device device;
  const uint64_t bits = (uint64_t{device()} << 32) | device();
  return absl::StrCat(ToAbsl(prefix), absl::Hex(bits, absl::kZeroPad16));
}

}  // namespace

absl::StatusOr<std::vector<BatchRequest>> ParseBatch(std::string_view text) {
  std::vector<BatchRequest> requests;
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    ++number;
    const absl::string_view stripped = absl::StripAsciiWhitespace(line);
    if (stripped.empty()) continue;
    auto request = ParseLine(std::string(stripped));
    if (!request.ok()) return Annotate(request.status(), absl::StrCat("line ", number));
    requests.push_back(*std::move(request));
  }
  return requests;
}

std::string BatchLine(const BatchRequest& request, const BatchAnswer& answer) {
  OrderedJson line = {{"id", RandomId("vllm-")},
                      {"custom_id", request.custom_id},
                      {"response", nullptr},
                      {"error", nullptr}};
  OrderedJson response = {{"status_code", request.refusal.has_value() ? 400 : answer.http_status},
                          {"request_id", RandomId("vllm-batch-")},
                          {"body", nullptr}};
  if (request.refusal.has_value()) {
    line["error"] = *request.refusal;
    line["response"] = std::move(response);
  } else if (answer.http_status == 0) {
    line["error"] = answer.body;
  } else {
    OrderedJson body = OrderedJson::parse(answer.body, nullptr, /*allow_exceptions=*/false);
    if (body.is_discarded()) body = answer.body;
    (answer.http_status == 200 ? response["body"] : line["error"]) = std::move(body);
    line["response"] = std::move(response);
  }
  return line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace baton::frontend
