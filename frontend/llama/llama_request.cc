#include "frontend/llama/llama_request.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

constexpr size_t kPromptsMax = 1024;

absl::Status Unsupported(std::string_view name) {
  return WithField(Unimplemented(absl::StrCat("Field '", ToAbsl(name), "': is not supported")),
                   name);
}

absl::Status WrongPrompt() {
  return InvalidArgument(
      "\"prompt\" elements must be a string, a list of tokens, a JSON object containing a prompt "
      "string, or a list of mixed strings & tokens.");
}

bool IsToken(const Json& item) {
  return item.is_number_unsigned() && item.get<uint64_t>() <= UINT32_MAX;
}

bool IsPieces(const Json& value) {
  bool any_token = false;
  for (const Json& item : value) {
    if (!item.is_string() && !IsToken(item)) return false;
    any_token |= IsToken(item);
  }
  return any_token;
}

PromptInput PiecesOf(const Json& list) {
  PromptInput prompt;
  std::vector<TokenId> tokens;
  for (const Json& item : list) {
    if (IsToken(item)) {
      tokens.push_back(item.get<TokenId>());
      continue;
    }
    if (!tokens.empty()) prompt.emplace_back(std::exchange(tokens, {}));
    prompt.emplace_back(item.get<std::string>());
  }
  if (!tokens.empty()) prompt.emplace_back(std::move(tokens));
  return prompt;
}

absl::StatusOr<PromptInput> ReadOnePrompt(const Json& value) {
  if (value.is_string()) return PromptInput{value.get<std::string>()};
  if (value.is_array() && IsPieces(value)) return PiecesOf(value);
  if (value.is_object()) {
    if (value.contains("multimodal_data")) {
      return InvalidArgument(
          "Multimodal data provided, but model does not support multimodal requests.");
    }
    const auto text = value.find("prompt_string");
    if (text != value.end() && text->is_string()) return PromptInput{text->get<std::string>()};
  }
  return WrongPrompt();
}

absl::Status ReadPrompts(const Json& document, LlamaRequest& request) {
  const auto prompt = document.find("prompt");
  if (prompt == document.end()) {
    return InvalidArgument("[json.exception.out_of_range.403] key 'prompt' not found");
  }
  if (!prompt->is_array() || IsPieces(*prompt)) {
    ASSIGN_OR_RETURN(PromptInput input, ReadOnePrompt(*prompt));
    request.prompts.push_back(std::move(input));
    return absl::OkStatus();
  }
  if (prompt->empty()) return InvalidArgument("\"prompt\" must not be empty");
  if (prompt->size() > kPromptsMax) {
    return InvalidArgument(absl::StrCat("\"prompt\" has more than ", kPromptsMax, " elements"));
  }
  for (const Json& item : *prompt) {
    ASSIGN_OR_RETURN(PromptInput input, ReadOnePrompt(item));
    request.prompts.push_back(std::move(input));
  }
  return absl::OkStatus();
}

bool IsNothing(const Json& value) {
  return value.is_null() || value == false || value == 0 || value == "" ||
         ((value.is_array() || value.is_object()) && value.empty());
}

// Fields of llama.cpp that would change the text, and that no worker has.
absl::Status RefuseUnsupported(const Json& document) {
  const auto adapters = document.find("lora");
  if (adapters != document.end() && !adapters->is_null() && !adapters->is_array()) {
    return InvalidArgument("'lora' must be an array of objects with 'id' and 'scale' fields");
  }
  for (const char* name : {"lora", "grammar_lazy"}) {
    const auto it = document.find(name);
    if (it != document.end() && !IsNothing(*it)) return Unsupported(name);
  }
  const auto target = document.find("adaptive_target");
  if (target != document.end() && target->is_number() && target->get<double>() >= 0) {
    return Unsupported("adaptive_target");
  }
  return absl::OkStatus();
}

bool FlagOf(const Json& document, const char* name) {
  const auto it = document.find(name);
  return it != document.end() && it->is_boolean() && it->get<bool>();
}

// The schema comes from the body itself, as its keys mean something by their order.
absl::Status ReadConstraint(std::string_view body, LlamaRequest& request) {
  ASSIGN_OR_RETURN(const OrderedJson document, ParseOrderedJson(body));
  const auto schema = document.find("json_schema");
  const bool has_schema = schema != document.end() && !schema->is_null();
  const auto grammar = document.find("grammar");
  const bool has_grammar = grammar != document.end() && grammar->is_string() &&
                           !grammar->get_ref<const std::string&>().empty();
  if (has_schema) request.constraint = ConstraintSpec::JsonSchema(SerializeJson(*schema));
  // Of both, the grammar counts.
  if (has_grammar) request.constraint = ConstraintSpec::Grammar(grammar->get<std::string>());
  return absl::OkStatus();
}

absl::Status ReadCount(const Json& document, LlamaRequest& request) {
  for (const char* name : {"n", "n_cmpl"}) {
    ASSIGN_OR_RETURN(const std::optional<int64_t> n, FindInt(document, name));
    if (!n.has_value()) continue;
    if (*n < 1 || *n > 4096) {
      return InvalidArgument(absl::StrCat(
          "Field '", name, "': Value must be between 1 <= value <= 4096, but got ", *n));
    }
    request.n = *n;
    break;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LlamaRequest> ReadLlamaOptions(const Json& document) {
  if (!document.is_object()) return InvalidArgument("the body must be a JSON object");
  RETURN_IF_ERROR(RefuseUnsupported(document));
  LlamaRequest request;
  RETURN_IF_ERROR(ReadLlamaSettings(document, request.settings));
  RETURN_IF_ERROR(ReadCount(document, request));
  ASSIGN_OR_RETURN(const std::optional<std::string> model, FindString(document, "model"));
  request.model = model.value_or("");
  request.return_tokens = FlagOf(document, "return_tokens");
  request.return_progress = FlagOf(document, "return_progress");
  const auto fields = document.find("response_fields");
  if (fields != document.end() && fields->is_array()) {
    for (const Json& field : *fields) {
      if (field.is_string()) request.response_fields.push_back(field.get<std::string>());
    }
  }
  return request;
}

absl::StatusOr<LlamaRequest> ParseLlamaRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const Json document, ParseJson(body));
  ASSIGN_OR_RETURN(LlamaRequest request, ReadLlamaOptions(document));
  RETURN_IF_ERROR(ReadPrompts(document, request));
  RETURN_IF_ERROR(ReadConstraint(body, request));
  return request;
}

}  // namespace baton::frontend
