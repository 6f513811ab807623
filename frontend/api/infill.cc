// POST /infill: llama.cpp's route for the text between input_prefix and input_suffix, with its
// fields, defaults and answers.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/json/json.h"
#include "frontend/api/endpoint.h"
#include "frontend/generation/fill_in_middle.h"
#include "frontend/json/json_body.h"
#include "frontend/llama/llama_error.h"
#include "frontend/llama/llama_start.h"

namespace baton::frontend {
namespace {

absl::StatusOr<std::string> RequiredText(const Json& document, std::string_view name) {
  const auto member = document.find(name);
  if (member == document.end()) {
    return InvalidArgument(absl::StrCat("\"", ToAbsl(name), "\" is required"));
  }
  if (!member->is_string()) {
    return InvalidArgument(absl::StrCat("\"", ToAbsl(name), "\" must be a string"));
  }
  return member->get<std::string>();
}

absl::StatusOr<std::vector<InfillParts::File>> ReadFiles(const Json& document) {
  std::vector<InfillParts::File> files;
  const auto extra = document.find("input_extra");
  if (extra == document.end() || extra->is_null()) return files;
  const absl::Status malformed = InvalidArgument(
      "\"input_extra\" must be an array of {\"filename\": string, \"text\": string}");
  if (!extra->is_array()) return malformed;
  for (const Json& chunk : *extra) {
    if (!chunk.is_object() || !chunk.contains("text") || !chunk["text"].is_string()) {
      return malformed;
    }
    const auto name = chunk.find("filename");
    if (name != chunk.end() && !name->is_string()) return malformed;
    files.push_back({.name = name == chunk.end() ? "tmp" : name->get<std::string>(),
                     .text = chunk["text"].get<std::string>()});
  }
  return files;
}

absl::Status AppendText(const Tokenizer& tokenizer, const std::string& text,
                        std::vector<TokenId>& ids) {
  ASSIGN_OR_RETURN(const std::vector<TokenId> more,
                   tokenizer.Encode(text, {.add_special_tokens = false, .parse_special = false}));
  ids.insert(ids.end(), more.begin(), more.end());
  return absl::OkStatus();
}

absl::StatusOr<InfillParts> ReadParts(const Json& document, const Tokenizer& tokenizer) {
  InfillParts parts;
  ASSIGN_OR_RETURN(const std::string prefix, RequiredText(document, "input_prefix"));
  ASSIGN_OR_RETURN(parts.suffix, RequiredText(document, "input_suffix"));
  ASSIGN_OR_RETURN(parts.files, ReadFiles(document));
  RETURN_IF_ERROR(AppendText(tokenizer, prefix, parts.prefix));
  const auto prompt = document.find("prompt");
  if (prompt == document.end() || prompt->is_null()) return parts;
  if (!prompt->is_string()) return InvalidArgument("\"prompt\" must be a string");
  RETURN_IF_ERROR(AppendText(tokenizer, prompt->get<std::string>(), parts.prefix));
  return parts;
}

// What the prompt may take: the answer needs its room, and without a limit a quarter.
size_t PromptRoom(int64_t n_predict, uint32_t context) {
  const int64_t half = context / 2;
  const int64_t answer = n_predict < 0 ? context / 4 : std::clamp<int64_t>(n_predict, 1, half);
  return static_cast<size_t>(context - answer);
}

absl::Status TryStart(ApiContext& context, const HttpRequest& http,
                      const std::shared_ptr<ResponseSink>& sink) {
  const MonotonicTime arrival = context.clock.Now();
  RETURN_IF_ERROR(CheckJsonContentType(http));
  ASSIGN_OR_RETURN(const Json document, ParseJson(http.body));
  if (!document.is_object()) return InvalidArgument("the body must be a JSON object");
  LlamaStart start;
  ASSIGN_OR_RETURN(start.request, ReadLlamaOptions(document));
  ASSIGN_OR_RETURN(start.model, context.models.FindOrOnly(start.request.model));
  const Tokenizer& tokenizer = *start.model->tokenizer;
  const auto marks = FillInMiddle::Of(tokenizer);
  if (!marks.has_value()) {
    return Unimplemented(
        "Infill is not supported by this model: it has no fill-in-the-middle tokens.");
  }
  ASSIGN_OR_RETURN(const InfillParts parts, ReadParts(document, tokenizer));
  const InfillOptions options{
      .always_names = true,
      .tokens_max = PromptRoom(start.request.settings.n_predict, start.model->max_model_len)};
  ASSIGN_OR_RETURN(std::vector<TokenId> prompt, marks->Encode(parts, options));
  start.prompts.push_back(std::move(prompt));
  start.quiet_stop_ids = marks->stop_ids();
  return StartLlamaAnswer(context, http, std::move(start), arrival, sink);
}

}  // namespace

absl::Status Register_infill(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add("infill", {{"POST", "/infill"}},
                      [&context](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
                        const absl::Status status = TryStart(context, request, sink);
                        if (!status.ok()) sink->Respond(LlamaErrorResponse(status));
                      });
}

}  // namespace baton::frontend
