#include "frontend/request/request_parser.h"

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/json/json_body.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/parameter.h"

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
      MakeIndex({ChatParameters(), ToolParameters(), EnvelopeParameters(), SamplingParameters(),
                 SharedParameters(), SamplerParameters()}));
  static const ParameterIndex& completion = *new ParameterIndex(
      MakeIndex({CompletionParameters(), EnvelopeParameters(), SamplingParameters(),
                 SharedParameters(), SamplerParameters()}));
  static const ParameterIndex& tokens =
      *new ParameterIndex(MakeIndex({TokenParameters(), EnvelopeParameters()}));
  switch (endpoint) {
    case GenerationEndpoint::kChat:
      return chat;
    case GenerationEndpoint::kCompletion:
      return completion;
    case GenerationEndpoint::kTokens:
      break;
  }
  return tokens;
}

// The members of sampling_params.
const ParameterIndex& SamplingParamsIndex() {
  static const ParameterIndex& index = *new ParameterIndex(
      MakeIndex({TokenSamplingParameters(), SamplingParameters(), SamplerParameters()}));
  return index;
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

// Reads the members of an object, each by its row.
class MemberReader {
 public:
  MemberReader(ExtraFields extra, ParsedRequest& parsed) : extra_(extra), parsed_(parsed) {}

  void Read(const ParameterIndex& index, std::string_view name, const JsonField& field) {
    const auto row = index.find(name);
    if (row == index.end()) {
      if (extra_ == ExtraFields::kRefuse) refusal_.Update(RefuseUnknown(name));
      ++parsed_.ignored_unknown_count;
    } else {
      refusal_.Update(ReadParameter(*row->second, field, extra_, parsed_));
    }
  }

  // A bad member makes the whole no SamplingParams: vLLM says so first.
  void ReadSamplingParams(const JsonField& field) {
    const auto visit = [this](const JsonField& object) {
      return object.VisitMembers([this](std::string_view name, const JsonField& member) {
        Read(SamplingParamsIndex(), name, member);
      });
    };
    SchemaProblems found;
    (void)visit(JsonField(field.value(), field.path(), found));
    if (found.empty()) return;
    field.Problem("is_instance_of", "Input should be an instance of SamplingParams",
                  "'class': 'SamplingParams'");
    (void)visit(field);
  }

  const absl::Status& refusal() const { return refusal_; }

 private:
  const ExtraFields extra_;
  ParsedRequest& parsed_;
  absl::Status refusal_;
};

absl::Span<const std::string_view> RequiredFields(GenerationEndpoint endpoint) {
  static constexpr std::string_view kChatFields[] = {"messages"};
  static constexpr std::string_view kTokenFields[] = {"token_ids", "sampling_params"};
  if (endpoint == GenerationEndpoint::kChat) return kChatFields;
  if (endpoint == GenerationEndpoint::kTokens) return kTokenFields;
  return {};
}

}  // namespace

absl::StatusOr<ParsedRequest> ParseGenerationBody(std::string_view body,
                                                  GenerationEndpoint endpoint, ExtraFields extra) {
  const ParameterIndex& index = IndexOf(endpoint);
  ParsedRequest parsed;
  if (endpoint == GenerationEndpoint::kTokens) parsed.request.token_level.emplace();
  MemberReader reader(extra, parsed);
  SchemaProblems problems;
  absl::flat_hash_set<std::string_view> missing(RequiredFields(endpoint).begin(),
                                                RequiredFields(endpoint).end());
  const auto read = [&](std::string_view name, const JsonField& field) {
    missing.erase(name);
    reader.Read(index, name, field);
    if (endpoint != GenerationEndpoint::kTokens) return;
    if (name == "sampling_params") reader.ReadSamplingParams(field);
    // Unlike other fields, it is not left out by a null.
    if (name == "token_ids" && field.IsNull()) field.VisitItems([](const JsonField&) {});
  };
  ASSIGN_OR_RETURN(const size_t member_count, VisitBody(body, problems, read));
  for (const std::string_view field : RequiredFields(endpoint)) {
    if (!missing.contains(field)) continue;
    problems.Add({.kind = "missing",
                  .path = absl::StrCat("body.", ToAbsl(field)),
                  .message = "Field required",
                  .input = absl::StrCat("<dict of ", member_count, " items>"),
                  .context = ""});
  }
  RETURN_IF_ERROR(problems.ToStatus());
  RETURN_IF_ERROR(reader.refusal());
  return parsed;
}

}  // namespace baton::frontend
