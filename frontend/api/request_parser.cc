#include "frontend/api/request_parser.h"

#include <simdjson.h>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/api/openai_error.h"
#include "frontend/api/parameter.h"

namespace baton::frontend {
namespace {

using ParameterIndex =
    absl::flat_hash_map<std::string_view, const Parameter*, StringHash, StringEqual>;

ParameterIndex MakeIndex(std::initializer_list<absl::Span<const Parameter>> tables) {
  ParameterIndex index;
  for (const absl::Span<const Parameter> table : tables) {
    for (const Parameter& parameter : table) index.emplace(parameter.name, &parameter);
  }
  return index;
}

const ParameterIndex& IndexOf(GenerationEndpoint endpoint) {
  static const ParameterIndex& chat =
      *new ParameterIndex(MakeIndex({ChatParameters(), SharedParameters()}));
  static const ParameterIndex& completion =
      *new ParameterIndex(MakeIndex({CompletionParameters(), SharedParameters()}));
  return endpoint == GenerationEndpoint::kChat ? chat : completion;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The body with ".0" after each integer of 19 digits and more, so that one which no 64 bits hold is
// read as a number out of range instead of as broken JSON.
std::string WithHugeIntegersAsReals(std::string_view body) {
  constexpr size_t kDigitsMin = 19;
  std::string text;
  bool in_string = false;
  for (size_t i = 0; i < body.size();) {
    if (in_string || !IsDigit(body[i])) {
      if (in_string && body[i] == '\\' && i + 1 < body.size())
        text += body[i++];
      else if (body[i] == '"')
        in_string = !in_string;
      text += body[i++];
      continue;
    }
    size_t end = i;
    while (end < body.size() && IsDigit(body[end])) ++end;
    text += body.substr(i, end - i);
    const bool whole =
        end == body.size() || std::string_view(".eE").find(body[end]) == std::string_view::npos;
    const bool fraction = i > 0 && (body[i - 1] == '.' || body[i - 1] == 'e');
    if (end - i >= kDigitsMin && whole && !fraction) text += ".0";
    i = end;
  }
  return text;
}

absl::Status Malformed(std::string_view kind, std::string_view message, std::string_view input,
                       std::string_view reason) {
  SchemaProblems problems;
  problems.Add({.kind = kind,
                .path = "body",
                .message = std::string(message),
                .input = std::string(input),
                .context = reason.empty() ? "" : absl::StrCat("'error': '", ToAbsl(reason), "'")});
  return problems.ToStatus();
}

// Parses with the calling thread's own parser; the document lives until the next call.
absl::StatusOr<simdjson::dom::element> ParseDocument(std::string_view body) {
  thread_local simdjson::dom::parser parser;
  if (body.empty()) return Malformed("missing", "Field required", "None", "");
  auto document = parser.parse(body.data(), body.size(), /*realloc_if_needed=*/true);
  if (document.error() == simdjson::NUMBER_ERROR) {
    const std::string text = WithHugeIntegersAsReals(body);
    document = parser.parse(text.data(), text.size(), /*realloc_if_needed=*/true);
  }
  simdjson::dom::element root;
  const simdjson::error_code error = document.get(root);
  if (error != simdjson::SUCCESS) {
    return Malformed("json_invalid", "JSON decode error", "<dict of 0 items>",
                     simdjson::error_message(error));
  }
  return root;
}

absl::Status Unsupported(std::string_view name) {
  return WithField(Unimplemented(absl::StrCat("`", ToAbsl(name), "` is not supported.")), name);
}

// Applies one table row to the value that was sent for it.
absl::Status ReadParameter(const Parameter& parameter, const JsonField& field, ExtraFields extra,
                           ParsedRequest& parsed) {
  if (parameter.support == Support::kUnsupported) {
    const bool neutral = parameter.neutral ? parameter.neutral(field) : field.IsEmpty();
    return neutral ? absl::OkStatus() : Unsupported(parameter.name);
  }
  if (parameter.support == Support::kHint) {
    if (extra == ExtraFields::kRefuse) return Unsupported(parameter.name);
    ++parsed.ignored_hint_count;
  }
  if (parameter.read != nullptr && !field.IsNull()) parameter.read(field, parsed.request);
  return absl::OkStatus();
}

absl::Status RefuseUnknown(std::string_view name) {
  return ParameterError(absl::StrCat("Unknown field `", ToAbsl(name.substr(0, 64)), "`."),
                        name.substr(0, 64), "");
}

}  // namespace

absl::StatusOr<ParsedRequest> ParseGenerationBody(std::string_view body,
                                                  GenerationEndpoint endpoint, ExtraFields extra) {
  auto document = ParseDocument(body);
  if (!document.ok()) return document.status();
  if (document->is_null()) return Malformed("missing", "Field required", "None", "");
  simdjson::dom::object object;
  if (document->get(object) != simdjson::SUCCESS) {
    return Malformed("model_attributes_type",
                     "Input should be a valid dictionary or object to extract fields from",
                     DescribeInput(*document), "");
  }

  const ParameterIndex& index = IndexOf(endpoint);
  ParsedRequest parsed;
  SchemaProblems problems;
  absl::Status refusal;
  for (const auto [name, value] : object) {
    const auto row = index.find(name);
    if (row == index.end()) {
      if (extra == ExtraFields::kRefuse) refusal.Update(RefuseUnknown(name));
      ++parsed.ignored_unknown_count;
      continue;
    }
    const JsonField field(value, absl::StrCat("body.", ToAbsl(name)), problems);
    refusal.Update(ReadParameter(*row->second, field, extra, parsed));
  }
  if (endpoint == GenerationEndpoint::kChat && object["messages"].error() != simdjson::SUCCESS) {
    problems.Add({.kind = "missing",
                  .path = "body.messages",
                  .message = "Field required",
                  .input = DescribeInput(*document),
                  .context = ""});
  }
  RETURN_IF_ERROR(problems.ToStatus());
  RETURN_IF_ERROR(refusal);
  return parsed;
}

}  // namespace baton::frontend
