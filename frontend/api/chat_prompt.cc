#include "frontend/api/chat_prompt.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

using OrderedJson = nlohmann::ordered_json;

// The text has been read as JSON before, so that this cannot fail; null if it does.
OrderedJson Reparse(const std::string& json) {
  return OrderedJson::parse(json, nullptr, /*allow_exceptions=*/false);
}

// Templates work on a call's arguments as an object, clients send them as JSON text.
void ReadToolCallArguments(OrderedJson& message) {
  const auto calls = message.find("tool_calls");
  if (calls == message.end() || !calls->is_array()) return;
  for (OrderedJson& call : *calls) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) continue;
    OrderedJson& function = call["function"];
    OrderedJson arguments = OrderedJson::object();
    const auto sent = function.find("arguments");
    if (sent != function.end() && sent->is_string() &&
        !sent->get_ref<const std::string&>().empty()) {
      arguments = Reparse(sent->get_ref<const std::string&>());
      if (arguments.is_discarded()) continue;  // no JSON: the template sees the text
    } else if (sent != function.end() && !sent->is_null() && !sent->is_string()) {
      continue;
    }
    function["arguments"] = std::move(arguments);
  }
}

void NormalizeMessage(const ChatTemplate& tmpl, OrderedJson& message) {
  NormalizeContent(message, tmpl.content_format());
  ReadToolCallArguments(message);
  if (message.value("role", "") == "developer" && !tmpl.mentions_developer_role()) {
    message["role"] = "system";
  }
  if (message.contains("reasoning_content") && !message.contains("reasoning")) {
    message["reasoning"] = message["reasoning_content"];
  }
}

OrderedJson MakeKwargs(const ChatInput& chat) {
  OrderedJson kwargs = OrderedJson::object();
  if (chat.reasoning_effort.has_value()) {
    kwargs["reasoning_effort"] = *chat.reasoning_effort;
    kwargs["enable_thinking"] = *chat.reasoning_effort != "none";
  }
  if (!chat.template_kwargs_json.empty()) {
    const OrderedJson own = Reparse(chat.template_kwargs_json);
    for (const auto& [name, value] : own.items()) kwargs[name] = value;
  }
  return kwargs;
}

}  // namespace

absl::StatusOr<std::string> RenderChatPrompt(const GenerationRequest& request,
                                             const ModelContext& model,
                                             RequestTemplates request_templates, WallTime now) {
  const ChatInput& chat = request.chat;
  OrderedJson kwargs = MakeKwargs(chat);
  std::optional<ChatTemplate> own;
  if (chat.chat_template.has_value() || kwargs.contains("chat_template")) {
    if (request_templates == RequestTemplates::kRefused || !chat.chat_template.has_value()) {
      return WithField(
          InvalidArgument("Chat template is passed with request, but "
                          "--trust-request-chat-template is not set. Refused request with "
                          "untrusted chat template."),
          "chat_template");
    }
    ASSIGN_OR_RETURN(own, ChatTemplate::Compile(*chat.chat_template));
  }
  const ChatTemplate* tmpl = own.has_value() ? &*own : model.chat_template.get();
  if (tmpl == nullptr) {
    return InvalidArgument(absl::StrCat("The model `", model.served_names.front(),
                                        "` has no chat template: use --chat-template."));
  }

  OrderedJson messages = Reparse(chat.messages_json);
  for (OrderedJson& message : messages) NormalizeMessage(*tmpl, message);
  const OrderedJson documents =
      chat.documents_json.empty() ? OrderedJson() : Reparse(chat.documents_json);
  ChatTemplateInput input;
  input.messages = &messages;
  input.documents = documents.is_null() ? nullptr : &documents;
  input.kwargs = &kwargs;
  input.special_tokens = model.special_tokens;
  input.add_generation_prompt = chat.add_generation_prompt;
  input.continue_final_message = chat.continue_final_message;
  input.now = now;
  return tmpl->Render(input, RenderLimits());
}

}  // namespace baton::frontend
