#include "frontend/api/messages_format.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "common/json/json.h"
#include "frontend/answer/choice_reply.h"
#include "frontend/json/own_names.h"
#include "frontend/messages/message_blocks.h"

namespace baton::frontend {
namespace {

std::string_view ErrorTypeOf(int http_status) {
  switch (http_status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return http_status < 500 ? "invalid_request_error" : "api_error";
  }
}

constexpr OwnName kOwnNames[] = {{"reasoning_effort", "output_config.effort"},
                                 {"response_format.json_schema", "output_config.format"},
                                 {"response_format", "output_config.format"},
                                 {"function.parameters", "input_schema"},
                                 {"function.name", "name"}};

std::string ErrorMembers(const ApiError& error) {
  return absl::StrCat("\"error\":{\"type\":\"", ToAbsl(ErrorTypeOf(error.http_status)),
                      "\",\"message\":", QuoteJson(error.message), "}");
}

class MessagesFormat : public AnswerFormat {
 public:
  explicit MessagesFormat(const AnswerPlan& plan)
      : plan_(plan),
        blocks_(plan.id, plan.stream ? BlockEvents::kSend : BlockEvents::kNone),
        reply_(plan.reply.get()) {}

  void AppendOpening(const AnswerUsage*, std::string* out) override {
    MessageUsage usage;
    usage.input_tokens = static_cast<uint32_t>(plan_.prompts.front().ids.size());
    AppendMessageEvent("message_start",
                       absl::StrCat("\"message\":{", Head(), ",\"content\":[],",
                                    "\"stop_reason\":null,\"stop_sequence\":null,"
                                    "\"stop_details\":null,\"usage\":",
                                    MessageUsageJson(usage), "}"),
                       out);
  }

  void AppendDelta(uint32_t, const ChoiceDelta& delta, const AnswerUsage*,
                   std::string* out) override {
    Take(delta);
    *out += blocks_.TakeEvents();
  }

  void AppendEnd(const AnswerUsage& usage, std::string* out) override {
    blocks_.Close();
    *out += blocks_.TakeEvents();
    AppendMessageEvent("message_delta",
                       absl::StrCat("\"delta\":{", Stop(), "},\"usage\":", UsageJson(usage)), out);
    AppendMessageEvent("message_stop", "", out);
  }

  void AppendError(const ApiError& error, std::string* out) override {
    AppendMessageEvent("error", ErrorMembers(error), out);
  }

  void Collect(uint32_t, const ChoiceDelta& delta, CollectedChoice&) override { Take(delta); }

  std::string Body(absl::Span<const CollectedChoice>, const AnswerUsage& usage) override {
    blocks_.Close();
    return absl::StrCat("{", Head(), ",\"content\":", blocks_.ContentJson(), ",", Stop(),
                        ",\"usage\":", UsageJson(usage), "}");
  }

 private:
  void Take(const ChoiceDelta& delta) {
    blocks_.Add(reply_.Read(delta));
    if (delta.end != nullptr) end_ = *delta.end;
  }

  std::string Head() const {
    return absl::StrCat("\"id\":", QuoteJson(plan_.id),
                        ",\"type\":\"message\",\"role\":\"assistant\",\"model\":",
                        QuoteJson(plan_.model), ",\"container\":null");
  }

  // "stop_reason":…,"stop_sequence":…
  std::string Stop() const {
    const std::string* const sequence = std::get_if<std::string>(&end_.stop);
    const char* reason = "end_turn";
    if (end_.reason == EndReason::kLength) {
      reason = "max_tokens";
    } else if (sequence != nullptr) {
      reason = "stop_sequence";
    } else if (blocks_.has_calls()) {
      reason = "tool_use";
    }
    return absl::StrCat("\"stop_reason\":\"", reason, "\",\"stop_sequence\":",
                        sequence == nullptr ? "null" : QuoteJson(*sequence),
                        ",\"stop_details\":null");
  }

  static std::string UsageJson(const AnswerUsage& usage) {
    const uint32_t cached = usage.cached_tokens.value_or(0);
    return MessageUsageJson({.input_tokens = usage.prompt_tokens - cached,
                             .cached_tokens = cached,
                             .output_tokens = usage.completion_tokens});
  }

  const AnswerPlan& plan_;
  MessageBlocks blocks_;
  ChoiceReply reply_;
  ChoiceEnd end_;
};

}  // namespace

std::unique_ptr<AnswerFormat> MakeMessagesFormat(const AnswerPlan& plan) {
  return std::make_unique<MessagesFormat>(plan);
}

HttpResponse MessagesErrorResponse(const ApiError& error) {
  HttpResponse response = ErrorResponse(error);
  const ApiError own = WithOwnNames(error, kOwnNames);
  response.body = absl::StrCat("{\"type\":\"error\",", ErrorMembers(own), "}");
  return response;
}

}  // namespace baton::frontend
