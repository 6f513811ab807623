// POST /completion, /completions: llama.cpp's native route, with its fields, defaults and answers.
#include <utility>

#include "common/base/status_macros.h"
#include "frontend/api/endpoint.h"
#include "frontend/llama/llama_error.h"
#include "frontend/llama/llama_start.h"

namespace baton::frontend {
namespace {

absl::StatusOr<std::vector<TokenId>> TokensOf(const PromptInput& input,
                                              const Tokenizer& tokenizer) {
  std::vector<TokenId> tokens;
  EncodeOptions encode;
  for (const PromptPiece& piece : input) {
    if (const std::string* text = std::get_if<std::string>(&piece)) {
      ASSIGN_OR_RETURN(const std::vector<TokenId> ids, tokenizer.Encode(*text, encode));
      tokens.insert(tokens.end(), ids.begin(), ids.end());
    } else {
      const auto& ids = std::get<std::vector<TokenId>>(piece);
      tokens.insert(tokens.end(), ids.begin(), ids.end());
    }
    encode.add_special_tokens = false;
  }
  return tokens;
}

absl::Status TryStart(ApiContext& context, const HttpRequest& http,
                      const std::shared_ptr<ResponseSink>& sink) {
  const MonotonicTime arrival = context.clock.Now();
  LlamaStart start;
  ASSIGN_OR_RETURN(start.request, ParseLlamaRequest(http.body));
  ASSIGN_OR_RETURN(start.model, context.models.FindOrOnly(start.request.model));
  for (const PromptInput& input : start.request.prompts) {
    ASSIGN_OR_RETURN(std::vector<TokenId> tokens, TokensOf(input, *start.model->tokenizer));
    start.prompts.push_back(std::move(tokens));
  }
  return StartLlamaAnswer(context, http, std::move(start), arrival, sink);
}

}  // namespace

absl::Status Register_llama_completion(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add("llama_completion", {{"POST", "/completion"}, {"POST", "/completions"}},
                      [&context](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
                        const absl::Status status = TryStart(context, request, sink);
                        if (!status.ok()) sink->Respond(LlamaErrorResponse(status));
                      });
}

}  // namespace baton::frontend
