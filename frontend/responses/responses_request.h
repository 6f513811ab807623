// A request to /v1/responses, said in the words of chat completions: items become messages, flat
// tools become nested ones, text.format becomes response_format. What the chat endpoint checks
// (numbers, samplers, schemas) is left to it; what only this API has is checked here.
//
//   ASSIGN_OR_RETURN(ResponsesRequest request, ResponsesRequest::Parse(body));
//   ASSIGN_OR_RETURN(std::string chat, request.ChatBody(items_of_previous_response));
//
// Threading: plain data. Ownership: owns everything.
// Errors:    INVALID_ARGUMENT whose Field is the parameter, as OpenAI names it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace baton::frontend {

class ResponsesRequest {
 public:
  static absl::StatusOr<ResponsesRequest> Parse(std::string_view body);

  const std::string& model() const { return model_; }  // empty: the first one
  bool store() const { return store_; }
  bool background() const { return background_; }
  bool stream() const { return stream_; }
  // The tokens' log-probabilities are to be shown.
  bool shows_logprobs() const { return shows_logprobs_; }
  const std::optional<std::string>& previous_response_id() const { return previous_id_; }
  const std::optional<std::string>& request_id() const { return request_id_; }

  // The body of the equal chat request, after the items of earlier turns (a JSON array, or empty).
  absl::StatusOr<std::string> ChatBody(std::string_view earlier_items_json) const;

  // This request's items as the API lists them, each with an id that begins with `id_stem`.
  std::string InputItemsJson(std::string_view id_stem) const;

  // The members of the response object that repeat the request: `"instructions":…,…`, no braces.
  // `can_store`: the server keeps responses that ask for it.
  std::string EchoJson(bool can_store) const;

 private:
  explicit ResponsesRequest(std::shared_ptr<const Json> body) : body_(std::move(body)) {}

  absl::Status ReadFlags();
  absl::Status CheckCombinations() const;

  std::shared_ptr<const Json> body_;  // an object
  std::string model_;
  bool store_ = true;
  bool background_ = false;
  bool stream_ = false;
  bool shows_logprobs_ = false;
  std::optional<std::string> previous_id_;
  std::optional<std::string> request_id_;
};

}  // namespace baton::frontend
