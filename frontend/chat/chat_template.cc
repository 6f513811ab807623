#include "frontend/chat/chat_template.h"

#include <utility>

#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "frontend/chat/ast.h"
#include "frontend/chat/ast_walk.h"
#include "frontend/chat/evaluator.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/parser.h"
#include "frontend/chat/python_text.h"
#include "frontend/chat/render_context.h"
#include "frontend/chat/value_from_json.h"
#include "nlohmann/json.hpp"

namespace baton::frontend {
namespace {

using internal::Value;
using nlohmann::ordered_json;

// What stands at the end of the message to be continued while it is rendered.
constexpr std::string_view kContinueMark = "CONTINUE_FINAL_MESSAGE_TAG";

std::string_view Strip(std::string_view text) {
  return internal::StripRight(internal::StripLeft(text));
}

// The text that a continuation goes on from: the content of the message, or its last text part.
ordered_json* ContinuedText(ordered_json& message) {
  const auto content = message.find("content");
  if (content == message.end()) return nullptr;
  if (content->is_string()) return &*content;
  if (!content->is_array()) return nullptr;
  for (auto part = content->rbegin(); part != content->rend(); ++part) {
    if (!part->is_object()) continue;
    const auto text = part->find("text");
    if (text != part->end() && text->is_string()) return &*text;
  }
  return nullptr;
}

}  // namespace

ChatTemplate::ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

absl::StatusOr<ChatTemplate> ChatTemplate::Compile(std::string_view source) {
  if (source.size() > kSourceBytesMax) {
    return InvalidArgument("chat template: larger than " + std::to_string(kSourceBytesMax) +
                           " bytes");
  }
  ChatTemplate compiled;
  absl::StatusOr<std::unique_ptr<internal::TemplateTree>> tree = internal::ParseTemplate(source);
  if (!tree.ok()) return Annotate(tree.status(), "chat template");
  compiled.tree_ = std::move(*tree);
  const std::vector<std::string>& names = compiled.tree_->context_names;
  for (size_t i = 0; i < names.size(); ++i) compiled.variables_[names[i]] = i;
  compiled.content_format_ = internal::DetectContentFormat(*compiled.tree_);
  compiled.mentions_developer_role_ = source.find("'developer'") != std::string_view::npos ||
                                      source.find("\"developer\"") != std::string_view::npos;
  compiled.mentions_content_ = source.find("content") != std::string_view::npos;
  return compiled;
}

absl::StatusOr<std::string> ChatTemplate::Render(const ChatTemplateInput& input,
                                                 const RenderLimits& limits) const {
  BATON_CHECK(input.messages != nullptr) << "chat template: no messages";
  if (input.continue_final_message) return RenderContinuation(input, limits);
  return RenderMessages(input, *input.messages, limits);
}

absl::StatusOr<std::string> ChatTemplate::RenderContinuation(const ChatTemplateInput& input,
                                                             const RenderLimits& limits) const {
  if (input.add_generation_prompt) {
    return InvalidArgument(
        "continue_final_message and add_generation_prompt are not compatible: use one of them");
  }
  ordered_json messages = *input.messages;
  ordered_json* text = nullptr;
  if (messages.is_array() && !messages.empty() && messages.back().is_object()) {
    text = ContinuedText(messages.back());
  }
  if (text == nullptr || !mentions_content_) {
    return InvalidArgument(
        "continue_final_message is set but the final message has no content to continue");
  }
  const std::string final_text = text->get<std::string>();
  *text = final_text + std::string(kContinueMark) + " ";
  ASSIGN_OR_RETURN(std::string prompt, RenderMessages(input, messages, limits));
  const size_t mark = prompt.rfind(kContinueMark);
  if (mark == std::string::npos || prompt.find(Strip(final_text)) == std::string::npos) {
    return InvalidArgument(
        "continue_final_message is set but the final message does not appear in the prompt after "
        "applying the chat template");
  }
  // Where the template trimmed the blank behind the mark, it would have trimmed the text as well.
  const bool trimmed = prompt.compare(mark + kContinueMark.size(), 1, " ") != 0;
  prompt.resize(mark);
  if (trimmed) prompt.resize(internal::StripRight(prompt).size());
  return prompt;
}

absl::StatusOr<std::vector<Value>> ChatTemplate::BindVariables(internal::RenderContext& context,
                                                               const ChatTemplateInput& input,
                                                               const ordered_json& messages) const {
  std::vector<Value> values(variables_.size());
  const auto slot = [&](std::string_view name) -> Value* {
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : &values[found->second];
  };
  const auto bind = [&](std::string_view name, const ordered_json* json) -> absl::Status {
    Value* value = slot(name);
    if (value == nullptr) return absl::OkStatus();
    if (json == nullptr) {
      *value = Value::None();
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(*value, internal::ValueFromJson(context, *json));
    return absl::OkStatus();
  };
  for (const internal::Function& function : internal::GlobalFunctions()) {
    if (Value* value = slot(function.name)) *value = Value::Of(&function);
  }
  for (const auto& [name, text] : input.special_tokens) {
    if (Value* value = slot(name)) *value = Value::String(text);
  }
  if (input.kwargs != nullptr && input.kwargs->is_object()) {
    for (const auto& entry : input.kwargs->items()) {
      RETURN_IF_ERROR(bind(entry.key(), &entry.value()));
    }
  }
  RETURN_IF_ERROR(bind("messages", &messages));
  RETURN_IF_ERROR(bind("tools", input.tools));
  RETURN_IF_ERROR(bind("documents", input.documents));
  if (Value* value = slot("add_generation_prompt")) {
    *value = Value::Bool(input.add_generation_prompt);
  }
  return values;
}

absl::StatusOr<std::string> ChatTemplate::RenderMessages(const ChatTemplateInput& input,
                                                         const ordered_json& messages,
                                                         const RenderLimits& limits) const {
  internal::RenderContext context(limits, input.now);
  absl::StatusOr<std::vector<Value>> values = BindVariables(context, input, messages);
  if (!values.ok()) return Annotate(values.status(), "chat template");
  absl::StatusOr<std::string> prompt = internal::Evaluator(context, *tree_, *values).Run();
  if (prompt.ok() || context.raised) return prompt;
  return Annotate(prompt.status(), "chat template: line " + std::to_string(context.line));
}

}  // namespace baton::frontend
