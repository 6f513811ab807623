#include "frontend/answer/choice_reply.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "frontend/answer/answer_format.h"
#include "frontend/http/request_id.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

constexpr size_t kNineLetters = 9;

bool IsNineLetters(std::string_view id) {
  if (id.size() != kNineLetters) return false;
  for (const char c : id) {
    const bool fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!fits) return false;
  }
  return true;
}

// Unique, in the form that the model's template expects when the call comes back.
std::string CallId(ToolFormat::Ids kind, const MessageDelta::Call& call) {
  switch (kind) {
    case ToolFormat::Ids::kNumbered:
      if (!call.id.empty()) return call.id;
      return absl::StrCat("functions.", call.name, ":", call.index);
    case ToolFormat::Ids::kNineLetters:
      return IsNineLetters(call.id) ? call.id : NewRequestId().substr(0, kNineLetters);
    case ToolFormat::Ids::kAny:
      break;
  }
  return absl::StrCat("chatcmpl-tool-", NewRequestId());
}

void AppendFunction(const MessageDelta::Call& call, std::string* out) {
  *out += '{';
  if (!call.name.empty()) {
    *out += "\"name\":";
    AppendJsonString(call.name, out);
    *out += ',';
  }
  *out += "\"arguments\":";
  AppendJsonString(call.arguments, out);
  *out += '}';
}

void AppendCalls(const MessageDelta& message, bool with_index, std::string* out) {
  *out += "\"tool_calls\":";
  char separator = '[';
  for (const MessageDelta::Call& call : message.calls) {
    *out += std::exchange(separator, ',');
    *out += '{';
    if (with_index) absl::StrAppend(out, "\"index\":", call.index, ",");
    if (!call.name.empty()) {
      *out += "\"id\":";
      AppendJsonString(call.id, out);
      *out += ",\"type\":\"function\",";
    }
    *out += "\"function\":";
    AppendFunction(call, out);
    *out += '}';
  }
  *out += ']';
}

void AppendReasoning(std::string_view key, const MessageDelta& message, std::string* out) {
  absl::StrAppend(out, ",\"", ToAbsl(key), "\":");
  if (message.reasoning.empty()) {
    *out += "null";
  } else {
    AppendJsonString(message.reasoning, out);
  }
}

}  // namespace

ChoiceReply::ChoiceReply(const ChatReply* plan) : plan_(plan) {
  if (plan != nullptr) parser_.emplace(plan->parse);
}

// Token by token where it matters which of them belong to reasoning.
void ChoiceReply::Push(const ChoiceDelta& delta) {
  size_t begin = 0;
  bool all_reasoning = !delta.ids.empty() && parser_->in_reasoning();
  for (const size_t end : delta.text_ends) {
    const bool before = parser_->in_reasoning();
    parser_->Push(delta.text.substr(begin, end - begin));
    begin = end;
    const bool is_reasoning = before && parser_->in_reasoning();
    reasoning_tokens_ += is_reasoning ? 1 : 0;
    all_reasoning = all_reasoning && is_reasoning;
  }
  if (begin < delta.text.size()) parser_->Push(delta.text.substr(begin));
  is_hidden_ = all_reasoning && !plan_->include_reasoning;
}

MessageDelta ChoiceReply::Read(const ChoiceDelta& delta) {
  MessageDelta message;
  if (!parser_.has_value()) {
    message.content = delta.text;
    return message;
  }
  Push(delta);
  if (delta.end != nullptr) {
    parser_->Finish(delta.end->reason == EndReason::kStop ? ReplyEnd::kStopped : ReplyEnd::kCut);
  }
  message = parser_->Take();
  if (!plan_->include_reasoning) message.reasoning.clear();
  for (MessageDelta::Call& call : message.calls) {
    if (!call.name.empty()) call.id = CallId(plan_->parse.tool_format->ids, call);
  }
  return message;
}

std::string_view ChoiceReply::FinishReason(const ChoiceEnd& end) const {
  if (parser_.has_value() && !plan_->is_named && parser_->all_calls_whole()) {
    const bool counts = end.reason == EndReason::kStop || !plan_->is_enforced;
    if (counts) return plan_->deprecated_form ? "function_call" : "tool_calls";
  }
  return FinishReasonName(end.reason);
}

void AppendMessageDelta(const ChatReply* plan, std::string_view role, const MessageDelta& message,
                        std::string* out) {
  char separator = '{';
  const auto begin = [&separator, out](std::string_view key) {
    *out += std::exchange(separator, ',');
    *out += key;
  };
  if (!role.empty()) {
    begin(R"("role":)");
    AppendJsonString(role, out);
  }
  if (!message.reasoning.empty()) {
    begin(R"("reasoning":)");
    AppendJsonString(message.reasoning, out);
    if (plan->old_reasoning_name) {
      begin(R"("reasoning_content":)");
      AppendJsonString(message.reasoning, out);
    }
  }
  if (!message.content.empty() || plan == nullptr) {
    begin(R"("content":)");
    AppendJsonString(message.content, out);
  }
  if (!message.calls.empty() && plan->deprecated_form) {
    begin(R"("function_call":)");
    AppendFunction(message.calls.front(), out);
  } else if (!message.calls.empty()) {
    *out += std::exchange(separator, ',');
    AppendCalls(message, /*with_index=*/true, out);
  }
  if (separator == '{') *out += '{';
  *out += '}';
}

void AppendMessageMembers(const ChatReply* plan, std::string_view echo, const MessageDelta& message,
                          std::string* out) {
  const bool nothing = echo.empty() && message.content.empty();
  const bool is_null = nothing && plan != nullptr && !plan->is_enforced &&
                       !(message.calls.empty() && message.reasoning.empty());
  *out += "\"content\":";
  if (is_null) {
    *out += "null";
  } else {
    *out += '"';
    AppendJsonEscaped(echo, out);
    AppendJsonEscaped(message.content, out);
    *out += '"';
  }
  // Null only where OpenAI's schema lets it be.
  *out += ",\"refusal\":null,\"annotations\":[],\"audio\":null";
  const bool deprecated = plan != nullptr && plan->deprecated_form;
  if (deprecated && !message.calls.empty()) {
    *out += ",\"function_call\":";
    AppendFunction(message.calls.front(), out);
  }
  AppendReasoning("reasoning", message, out);
  if (plan != nullptr && plan->old_reasoning_name) {
    AppendReasoning("reasoning_content", message, out);
  }
  if (message.calls.empty() || deprecated) return;
  *out += ',';
  AppendCalls(message, /*with_index=*/false, out);
}

}  // namespace baton::frontend
