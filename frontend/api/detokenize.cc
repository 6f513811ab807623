// POST /detokenize. vLLM calls the text "prompt", llama.cpp "content", and both ask in the same
// words: the answer has it under both names.
#include "common/base/status_macros.h"
#include "frontend/api/json_endpoint.h"
#include "frontend/json/json_body.h"
#include "frontend/json/json_writer.h"
#include "frontend/request/token_pieces.h"

namespace baton::frontend {
namespace {

absl::StatusOr<std::string> Detokenize(const ApiContext& context, const HttpRequest& request) {
  std::string name;
  bool has_tokens = false;
  std::vector<TokenId> ids;
  SchemaProblems problems;
  const auto read = [&](std::string_view member, const JsonField& field) {
    if (member == "model" && !field.IsNull()) name = field.String().value_or("");
    if (member != "tokens") return;
    has_tokens = true;
    field.VisitItems([&ids](const JsonField& item) {
      ids.push_back(static_cast<TokenId>(item.IntInRange(0, UINT32_MAX).value_or(0)));
    });
  };
  ASSIGN_OR_RETURN(const size_t count, VisitBody(request.body, problems, read));
  if (!has_tokens) {
    problems.Add({.kind = "missing",
                  .path = "body.tokens",
                  .message = "Field required",
                  .input = "<dict of " + std::to_string(count) + " items>",
                  .context = ""});
  }
  RETURN_IF_ERROR(problems.ToStatus());
  ASSIGN_OR_RETURN(const auto model, context.models.Find(name));
  RETURN_IF_ERROR(CheckTokenIds(ids, model->tokenizer->vocab_size()));
  const std::string text = model->tokenizer->Decode(ids, SpecialTokens::kKeep);
  std::string body;
  JsonWriter(&body)
      .BeginObject()
      .Key("prompt")
      .String(text)
      .Key("content")
      .String(text)
      .EndObject();
  return body;
}

}  // namespace

absl::Status Register_detokenize(ApiContext& context, EndpointRegistry& registry) {
  return AddJsonEndpoint(
      "detokenize", {{"POST", "/detokenize"}}, registry,
      [&context](const HttpRequest& request) { return Detokenize(context, request); });
}

}  // namespace baton::frontend
