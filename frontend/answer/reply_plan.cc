#include "frontend/answer/reply_plan.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {
namespace {

using Choice = ToolInput::Choice;

// What the request says about thinking, in any of the names that templates use.
std::optional<bool> ThinkingOf(const ChatInput& chat) {
  std::optional<bool> thinking;
  if (chat.reasoning_effort.has_value()) thinking = *chat.reasoning_effort != "none";
  if (chat.template_kwargs_json.empty()) return thinking;
  const auto kwargs = nlohmann::json::parse(chat.template_kwargs_json, nullptr, false);
  for (const char* key : {"thinking", "enable_thinking"}) {
    const auto value = kwargs.is_object() ? kwargs.find(key) : kwargs.end();
    if (value != kwargs.end() && value->is_boolean()) thinking = value->get<bool>();
  }
  return thinking;
}

ReasoningStart StartOf(const ChatInput& chat, const ModelContext& model, std::string_view prompt) {
  const ReasoningFormat& format = *model.reasoning_format;
  const std::optional<bool> thinking = ThinkingOf(chat);
  ReasoningStart otherwise = ReasoningStart::kByText;
  if (thinking == false || (format.on_request && thinking != true)) {
    otherwise = ReasoningStart::kOutside;
  } else if (model.reasoning_is_certain && format.begins_inside && !chat.continue_final_message) {
    otherwise = ReasoningStart::kInside;
  }
  return StartAfter(prompt, format, otherwise);
}

void PlanReasoning(const ChatInput& chat, const ModelContext& model, std::string_view prompt,
                   ReplyPlan& parse) {
  parse.reasoning = model.reasoning_format;
  const bool in_channels = model.tool_format != nullptr && model.tool_format->in_channels;
  if (parse.reasoning == nullptr && in_channels) {
    parse.reasoning = FindReasoningFormat("openai_gptoss");  // one cannot be read without the other
    return;
  }
  if (parse.reasoning != nullptr) parse.reasoning_start = StartOf(chat, model, prompt);
}

absl::Status PlanTools(const ToolInput& input, const ModelContext& model, ChatReply& reply) {
  auto tools = ToolSet::Parse(input.tools_json);
  if (!tools.ok()) return WithField(tools.status(), "tools");
  if (input.choice == Choice::kNone) return absl::OkStatus();
  reply.has_tools = true;
  reply.is_named = input.choice == Choice::kNamed;
  reply.is_enforced = reply.is_named || input.choice == Choice::kRequired;
  if (reply.is_named && !tools->Declares(input.choice_name)) {
    return ParameterError(
        "The tool specified in `tool_choice` does not match any of the specified `tools`",
        "tool_choice", "");
  }
  const ToolFormat* format = model.tool_format;
  const bool plain = reply.is_enforced && (format == nullptr || format->syntax.empty());
  if (plain) format = &PlainToolFormat();
  reply.parse.tool_format = format != nullptr ? format : &UnmarkedToolFormat();
  reply.parse.parallel_calls = input.parallel_calls && !input.deprecated_form;
  reply.parse.tools = *std::move(tools);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ChatReply>> MakeChatReply(const ChatInput& chat,
                                                               const ModelContext& model,
                                                               std::string_view prompt,
                                                               ReplyOptions options) {
  ChatReply reply;
  PlanReasoning(chat, model, prompt, reply.parse);
  if (!chat.tools.tools_json.empty()) {
    RETURN_IF_ERROR(PlanTools(chat.tools, model, reply));
  }
  if (reply.parse.reasoning == nullptr && !reply.has_tools) return nullptr;
  reply.deprecated_form = chat.tools.deprecated_form;
  reply.include_reasoning = chat.tools.include_reasoning;
  reply.old_reasoning_name = options.old_reasoning_name;
  return std::make_shared<const ChatReply>(std::move(reply));
}

}  // namespace baton::frontend
