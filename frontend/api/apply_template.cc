// POST /apply-template, as llama.cpp has it: the text that a chat request becomes. A last message
// of the assistant is gone on with, unless the request wants no generation prompt.
#include "common/base/status_macros.h"
#include "frontend/api/json_endpoint.h"
#include "frontend/generation/chat_prompt.h"
#include "frontend/json/json_writer.h"
#include "frontend/request/request_rules.h"

namespace baton::frontend {
namespace {

absl::StatusOr<std::string> ApplyTemplate(const ApiContext& context, const HttpRequest& request) {
  ASSIGN_OR_RETURN(
      ParsedRequest parsed,
      ParseGenerationBody(request.body, GenerationEndpoint::kChat, context.options.extra_fields));
  ChatInput& chat = parsed.request.chat;
  const bool goes_on = chat.last_role == "assistant" && !chat.last_content_text.empty();
  if (goes_on && chat.add_generation_prompt) {
    chat.add_generation_prompt = false;
    chat.continue_final_message = true;
  }
  RETURN_IF_ERROR(CheckRequest(parsed.request, GenerationEndpoint::kChat));
  ASSIGN_OR_RETURN(const auto model, context.models.Find(parsed.request.model));
  ASSIGN_OR_RETURN(
      const ChatPrompt prompt,
      RenderChatPrompt(parsed.request, *model, context.options.prompts, context.clock.WallNow()));
  std::string body;
  JsonWriter(&body).BeginObject().Key("prompt").String(prompt.text).EndObject();
  return body;
}

}  // namespace

absl::Status Register_apply_template(ApiContext& context, EndpointRegistry& registry) {
  return AddJsonEndpoint(
      "apply_template", {{"POST", "/apply-template"}}, registry,
      [&context](const HttpRequest& request) { return ApplyTemplate(context, request); });
}

}  // namespace baton::frontend
