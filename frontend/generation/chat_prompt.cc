#include "frontend/generation/chat_prompt.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/chat/plain_marks.h"

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

// A call of the deprecated form, in the answer of an earlier turn or as its result.
void ReadDeprecatedCall(OrderedJson& message) {
  if (message.value("role", "") == "function") {
    message["role"] = "tool";
    if (message.contains("name")) message["tool_call_id"] = message["name"];
  }
  const auto call = message.find("function_call");
  if (call == message.end()) return;
  if (call->is_object() && !message.contains("tool_calls")) {
    OrderedJson one = {{"id", call->value("name", OrderedJson(""))}, {"type", "function"}};
    one["function"] = *call;
    message["tool_calls"] = OrderedJson::array({std::move(one)});
  }
  message.erase("function_call");
}

// The declared tools as templates expect them: known members, in their usual order.
OrderedJson ReadTools(const ToolInput& input) {
  OrderedJson tools = OrderedJson::array();
  for (OrderedJson& sent : Reparse(input.tools_json)) {
    OrderedJson function = OrderedJson::object();
    for (const char* key : {"name", "description", "parameters", "strict"}) {
      const auto member = sent["function"].find(key);
      if (member != sent["function"].end() && !member->is_null()) function[key] = *member;
    }
    tools.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return tools;
}

void NormalizeMessage(ContentFormat format, OrderedJson& message) {
  NormalizeContent(message, format);
  ReadDeprecatedCall(message);
  ReadToolCallArguments(message);
  if (message.contains("reasoning_content") && !message.contains("reasoning")) {
    message["reasoning"] = message["reasoning_content"];
  } else if (message.contains("reasoning")) {
    message["reasoning_content"] = message["reasoning"];
  }
}

// The text of a message, its parts in lines.
std::string TextOf(const OrderedJson& message) {
  const auto content = message.find("content");
  if (content == message.end()) return "";
  if (content->is_string()) return content->get<std::string>();
  std::string text;
  bool first = true;
  for (const OrderedJson& part : *content) {
    const bool has_text = part.is_object() && part.contains("text") && part["text"].is_string();
    if (!has_text && !part.is_string()) continue;
    if (!first) text += '\n';
    first = false;
    text += has_text ? part["text"].get<std::string>() : part.get<std::string>();
  }
  return text;
}

// Makes one system message in front of all, if they are not that already: most templates take no
// other.
void GatherSystemMessages(OrderedJson& messages) {
  std::string text;
  OrderedJson others = OrderedJson::array();
  for (OrderedJson& message : messages) {
    if (message.value("role", "") != "system") {
      others.push_back(std::move(message));
      continue;
    }
    const std::string more = TextOf(message);
    if (!text.empty() && !more.empty()) text += "\n\n";
    text += more;
  }
  OrderedJson gathered = OrderedJson::array();
  gathered.push_back({{"role", "system"}, {"content", std::move(text)}});
  for (OrderedJson& message : others) gathered.push_back(std::move(message));
  messages = std::move(gathered);
}

// What a template that does not know the role `developer` gets instead.
void TakeDevelopersForSystem(OrderedJson& messages) {
  size_t developers = 0;
  size_t misplaced = 0;  // system messages that are not the first message
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string role = messages[i].value("role", "");
    if (role == "developer") {
      messages[i]["role"] = "system";
      ++developers;
    }
    if (i > 0 && (role == "developer" || role == "system")) ++misplaced;
  }
  if (developers > 0 && misplaced > 0) GatherSystemMessages(messages);
}

void Merge(const std::string& json, OrderedJson& kwargs) {
  if (json.empty()) return;
  const OrderedJson own = Reparse(json);
  for (const auto& [name, value] : own.items()) kwargs[name] = value;
}

OrderedJson MakeKwargs(const ChatInput& chat, const ModelContext& model) {
  OrderedJson kwargs = OrderedJson::object();
  Merge(model.default_template_kwargs_json, kwargs);
  if (chat.reasoning_effort.has_value()) {
    kwargs["reasoning_effort"] = *chat.reasoning_effort;
    kwargs["enable_thinking"] = *chat.reasoning_effort != "none";
  }
  Merge(chat.template_kwargs_json, kwargs);
  return kwargs;
}

// The template of one render: the model's, or one that the request brought.
struct ChosenTemplate {
  const ChatTemplate* get() const { return own.has_value() ? &*own : of_model; }

  const ChatTemplate* of_model = nullptr;
  std::optional<ChatTemplate> own;
};

// The text or name that the request says, in its field or among the template's variables.
std::optional<std::string> RequestedTemplate(const ChatInput& chat, OrderedJson& kwargs) {
  std::optional<std::string> requested = chat.chat_template;
  if (const auto own = kwargs.find("chat_template"); own != kwargs.end()) {
    if (!requested.has_value() && own->is_string()) requested = own->get<std::string>();
    if (!requested.has_value() && !own->is_null()) requested = "";
    kwargs.erase(own);
  }
  return requested;
}

absl::Status NoTemplate(const ModelContext& model) {
  if (model.named_templates.empty()) {
    return InvalidArgument(absl::StrCat("The model `", model.served_names.front(),
                                        "` has no chat template: use --chat-template."));
  }
  std::string names;
  for (const auto& [name, compiled] : model.named_templates) absl::StrAppend(&names, " ", name);
  return WithField(
      InvalidArgument(absl::StrCat("The model `", model.served_names.front(),
                                   "` has several chat templates and no default; name one in "
                                   "`chat_template`:",
                                   names)),
      "chat_template");
}

absl::StatusOr<ChosenTemplate> ChooseTemplate(const std::optional<std::string>& requested,
                                              bool has_tools, const ModelContext& model,
                                              const ChatPromptOptions& options) {
  ChosenTemplate chosen;
  if (!requested.has_value()) {
    chosen.of_model = model.TemplateFor(has_tools);
  } else if (const auto named = model.named_templates.find(*requested);
             named != model.named_templates.end()) {
    chosen.of_model = &named->second;
  } else if (*requested == "default" && model.chat_template != nullptr) {
    chosen.of_model = model.chat_template.get();
  } else if (options.trust_request_template) {
    ASSIGN_OR_RETURN(chosen.own, ChatTemplate::Compile(*requested));
  } else {
    return WithField(
        InvalidArgument("Chat template is passed with request, but "
                        "--trust-request-chat-template is not set. Refused request with "
                        "untrusted chat template."),
        "chat_template");
  }
  if (chosen.get() == nullptr) return NoTemplate(model);
  return chosen;
}

// A request's own template gets less than a model's: whoever wrote it pays nothing for it.
RenderLimits LimitsOf(const ChosenTemplate& chosen) {
  if (!chosen.own.has_value()) return RenderLimits();
  return {.steps_max = 2'000'000,
          .output_bytes_max = size_t{8} << 20,
          .arena_bytes_max = size_t{32} << 20,
          .depth_max = 200};
}

bool IsFromOutside(const OrderedJson& message) {
  const auto role = message.find("role");
  return role == message.end() ||
         (*role != "system" && *role != "developer" && *role != "assistant");
}

}  // namespace

absl::StatusOr<ChatPrompt> RenderChatPrompt(const GenerationRequest& request,
                                            const ModelContext& model,
                                            const ChatPromptOptions& options, WallTime now) {
  const ChatInput& chat = request.chat;
  if (chat.has_media_parts) {
    return InvalidArgument(absl::StrCat(model.served_names.front(), " is not a multimodal model"));
  }
  OrderedJson kwargs = MakeKwargs(chat, model);
  const bool hides_tools =
      chat.tools.tools_json.empty() ||
      (chat.tools.choice == ToolInput::Choice::kNone && options.hides_unused_tools);
  const OrderedJson tools = hides_tools ? OrderedJson() : ReadTools(chat.tools);
  const std::optional<std::string> requested = RequestedTemplate(chat, kwargs);
  ASSIGN_OR_RETURN(const ChosenTemplate chosen,
                   ChooseTemplate(requested, !tools.is_null(), model, options));
  const ChatTemplate& tmpl = *chosen.get();

  OrderedJson messages = Reparse(chat.messages_json);
  OrderedJson documents =
      chat.documents_json.empty() ? OrderedJson() : Reparse(chat.documents_json);
  const ContentFormat format = model.content_format.value_or(tmpl.content_format());
  for (OrderedJson& message : messages) {
    NormalizeMessage(format, message);
    if (options.plain_user_special_tokens && IsFromOutside(message)) {
      MarkPlainText(message["content"], model.special_texts);
    }
  }
  if (options.plain_user_special_tokens) MarkPlainText(documents, model.special_texts);
  if (!tmpl.mentions_developer_role()) TakeDevelopersForSystem(messages);

  ChatTemplateInput input;
  input.messages = &messages;
  input.tools = tools.is_null() ? nullptr : &tools;
  input.documents = documents.is_null() ? nullptr : &documents;
  input.kwargs = &kwargs;
  input.special_tokens = model.special_tokens;
  input.add_generation_prompt = chat.add_generation_prompt;
  input.continue_final_message = chat.continue_final_message;
  input.now = now;
  ChatPrompt prompt;
  ASSIGN_OR_RETURN(prompt.text, tmpl.Render(input, LimitsOf(chosen)));
  if (options.plain_user_special_tokens) prompt.plain_at = TakePlainMarks(prompt.text);
  return prompt;
}

absl::StatusOr<std::vector<TokenId>> EncodeChatPrompt(const ChatPrompt& prompt,
                                                      const GenerationRequest& request,
                                                      const ModelContext& model) {
  const EncodeOptions encode{.add_special_tokens = request.add_special_tokens.value_or(false),
                             .plain_at = prompt.plain_at};
  return model.tokenizer->Encode(prompt.text, encode);
}

}  // namespace baton::frontend
