#include "frontend/api/request_parser.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/api/json_body.h"
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
  static const ParameterIndex& chat = *new ParameterIndex(
      MakeIndex({ChatParameters(), ToolParameters(), SharedParameters(), SamplerParameters()}));
  static const ParameterIndex& completion = *new ParameterIndex(
      MakeIndex({CompletionParameters(), SharedParameters(), SamplerParameters()}));
  return endpoint == GenerationEndpoint::kChat ? chat : completion;
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
  const ParameterIndex& index = IndexOf(endpoint);
  ParsedRequest parsed;
  SchemaProblems problems;
  absl::Status refusal;
  bool has_messages = false;
  const auto read = [&](std::string_view name, const JsonField& field) {
    has_messages |= name == "messages";
    const auto row = index.find(name);
    if (row == index.end()) {
      if (extra == ExtraFields::kRefuse) refusal.Update(RefuseUnknown(name));
      ++parsed.ignored_unknown_count;
    } else {
      refusal.Update(ReadParameter(*row->second, field, extra, parsed));
    }
  };
  ASSIGN_OR_RETURN(const size_t member_count, VisitBody(body, problems, read));
  if (endpoint == GenerationEndpoint::kChat && !has_messages) {
    problems.Add({.kind = "missing",
                  .path = "body.messages",
                  .message = "Field required",
                  .input = absl::StrCat("<dict of ", member_count, " items>"),
                  .context = ""});
  }
  RETURN_IF_ERROR(problems.ToStatus());
  RETURN_IF_ERROR(refusal);
  return parsed;
}

}  // namespace baton::frontend
