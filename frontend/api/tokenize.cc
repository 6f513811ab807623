// POST /tokenize, in three forms: vLLM's for a prompt and for a chat, and llama.cpp's for a
// content. The fields of the request say which.
#include <optional>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/text/unicode/utf8.h"
#include "frontend/answer/answer_format.h"
#include "frontend/api/json_endpoint.h"
#include "frontend/generation/chat_prompt.h"
#include "frontend/json/json_body.h"
#include "frontend/json/json_writer.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/request_rules.h"
#include "frontend/request/token_pieces.h"

namespace baton::frontend {
namespace {

struct TokenizeRequest {
  std::string model;
  bool is_chat = false;
  std::optional<std::string> prompt;
  std::optional<PromptInput> content;  // llama.cpp's form
  bool return_token_strs = false;
  bool add_special_tokens = true;
  // Of llama.cpp's form.
  bool add_special = false;
  bool parse_special = true;
  bool with_pieces = false;
};

void ReadField(std::string_view name, const JsonField& field, TokenizeRequest& request) {
  if (name == "messages") request.is_chat = true;
  if (field.IsNull()) return;
  const auto flag = [&](std::string_view own, bool& target) {
    if (name == own) target = field.Bool().value_or(target);
  };
  if (name == "model") request.model = field.String().value_or("");
  if (name == "prompt") request.prompt = field.String();
  if (name == "content") request.content = ReadMixedPrompt(field);
  flag("return_token_strs", request.return_token_strs);
  flag("add_special_tokens", request.add_special_tokens);
  flag("add_special", request.add_special);
  flag("parse_special", request.parse_special);
  flag("with_pieces", request.with_pieces);
}

std::string CountedAnswer(const ModelContext& model, const std::vector<TokenId>& ids,
                          bool with_strings) {
  std::string body = "{\"count\":" + std::to_string(ids.size()) +
                     ",\"max_model_len\":" + std::to_string(model.max_model_len) + ",\"tokens\":";
  AppendTokenIds(ids, &body);
  body += ",\"token_strs\":";
  if (!with_strings) return body + "null}";
  body += '[';
  for (const TokenId id : ids) {
    if (body.back() != '[') body += ',';
    AppendJsonString(model.tokenizer->TokenText(id), &body);
  }
  return body + "]}";
}

absl::StatusOr<std::string> TokenizeChat(const ApiContext& context, std::string_view body,
                                         const TokenizeRequest& form) {
  ASSIGN_OR_RETURN(const ParsedRequest parsed,
                   ParseGenerationBody(body, GenerationEndpoint::kChat, ExtraFields::kIgnore));
  RETURN_IF_ERROR(CheckRequest(parsed.request, GenerationEndpoint::kChat));
  ASSIGN_OR_RETURN(const auto model, context.models.Find(form.model));
  ASSIGN_OR_RETURN(
      const ChatPrompt prompt,
      RenderChatPrompt(parsed.request, *model, context.options.prompts, context.clock.WallNow()));
  ASSIGN_OR_RETURN(const std::vector<TokenId> ids,
                   EncodeChatPrompt(prompt, parsed.request, *model));
  return CountedAnswer(*model, ids, form.return_token_strs);
}

// {"tokens":[…]}, of ids or of {"id","piece"}; a piece that is no text is a list of its bytes.
absl::StatusOr<std::string> TokenizeContent(const ModelContext& model,
                                            const TokenizeRequest& form) {
  const EncodeOptions options{.add_special_tokens = form.add_special,
                              .parse_special = form.parse_special};
  ASSIGN_OR_RETURN(const std::vector<TokenId> ids,
                   EncodeMixedPrompt(*form.content, *model.tokenizer, options));
  std::string body = "{\"tokens\":";
  if (form.with_pieces) {
    AppendTokenPieces(*model.tokenizer, ids, &body);
  } else {
    AppendTokenIds(ids, &body);
  }
  return body + "}";
}

absl::StatusOr<std::string> Tokenize(const ApiContext& context, const HttpRequest& request) {
  TokenizeRequest form;
  SchemaProblems problems;
  ASSIGN_OR_RETURN(const size_t count,
                   VisitBody(request.body, problems, [&form](std::string_view name, const auto& f) {
                     ReadField(name, f, form);
                   }));
  RETURN_IF_ERROR(problems.ToStatus());
  if (form.is_chat) return TokenizeChat(context, request.body, form);
  if (!form.prompt.has_value() && !form.content.has_value()) {
    problems.Add({.kind = "missing",
                  .path = "body.prompt",
                  .message = "Field required",
                  .input = "<dict of " + std::to_string(count) + " items>",
                  .context = ""});
    return problems.ToStatus();
  }
  ASSIGN_OR_RETURN(const auto model, context.models.Find(form.model));
  if (!form.prompt.has_value()) return TokenizeContent(*model, form);
  ASSIGN_OR_RETURN(
      const std::vector<TokenId> ids,
      model->tokenizer->Encode(*form.prompt, {.add_special_tokens = form.add_special_tokens}));
  return CountedAnswer(*model, ids, form.return_token_strs);
}

}  // namespace

absl::Status Register_tokenize(ApiContext& context, EndpointRegistry& registry) {
  return AddJsonEndpoint(
      "tokenize", {{"POST", "/tokenize"}}, registry,
      [&context](const HttpRequest& request) { return Tokenize(context, request); });
}

}  // namespace baton::frontend
