#include "common/constraint/constraint_message.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

using Kind = ConstraintSpec::Kind;

constexpr size_t kMarkersMax = 16;
constexpr size_t kMarkerTokensMax = 64;
constexpr size_t kMarkerBytesMax = 256;

absl::Status Bad(std::string_view field, std::string_view message) {
  return WithField(InvalidArgument(absl::StrCat(ToAbsl(field), " ", ToAbsl(message))), field);
}

absl::Status ReadMarkers(const v1::Constraint& message, ConstraintSpec& spec) {
  for (const v1::TokenIds& marker : message.start_after()) {
    spec.start_after.emplace_back(marker.ids().begin(), marker.ids().end());
  }
  spec.start_after_text = message.start_after_text();
  return CheckMarkers(spec);
}

absl::StatusOr<ConstraintSpec> ReadForm(const v1::Constraint& message) {
  switch (message.form_case()) {
    case v1::Constraint::kJsonSchema:
      return ConstraintSpec::JsonSchema(message.json_schema());
    case v1::Constraint::kJsonObject:
      if (!message.json_object()) return Bad("constraint.json_object", "is false");
      return ConstraintSpec::JsonObject();
    case v1::Constraint::kRegex:
      return ConstraintSpec::Regex(message.regex());
    case v1::Constraint::kChoice: {
      const auto& options = message.choice().options();
      return ConstraintSpec::Choice({options.begin(), options.end()});
    }
    case v1::Constraint::kGrammar:
      return ConstraintSpec::Grammar(message.grammar());
    case v1::Constraint::kStructuralTag:
      return ConstraintSpec::StructuralTag(message.structural_tag());
    case v1::Constraint::FORM_NOT_SET:
      break;
  }
  return Bad("constraint", "says nothing: set one of its forms");
}

void WriteForm(const ConstraintSpec& spec, v1::Constraint& message) {
  switch (spec.kind) {
    case Kind::kJsonSchema:
      message.set_json_schema(spec.text);
      break;
    case Kind::kJsonObject:
      message.set_json_object(true);
      break;
    case Kind::kRegex:
      message.set_regex(spec.text);
      break;
    case Kind::kChoice:
      for (const std::string& choice : spec.choices) {
        message.mutable_choice()->add_options(choice);
      }
      break;
    case Kind::kGrammar:
      message.set_grammar(spec.text);
      break;
    case Kind::kStructuralTag:
      message.set_structural_tag(spec.text);
      break;
  }
}

}  // namespace

absl::Status CheckMarkers(const ConstraintSpec& spec) {
  if (spec.start_after.size() > kMarkersMax) {
    return Bad("constraint.start_after", "has too many entries");
  }
  for (const std::vector<TokenId>& marker : spec.start_after) {
    if (marker.empty() || marker.size() > kMarkerTokensMax) {
      return Bad("constraint.start_after", "has a marker that is empty or too long");
    }
  }
  if (spec.start_after_text.size() > kMarkerBytesMax) {
    return Bad("constraint.start_after_text", "is too long");
  }
  if (!spec.start_after.empty() && !spec.start_after_text.empty()) {
    return Bad("constraint.start_after_text", "is set together with start_after");
  }
  return absl::OkStatus();
}

v1::Constraint ToMessage(const ConstraintSpec& spec) {
  v1::Constraint message;
  WriteForm(spec, message);
  if (spec.layout != JsonLayout{}) {
    v1::Constraint::JsonLayout& layout = *message.mutable_json_layout();
    layout.set_compact(spec.layout.compact);
    if (spec.layout.whitespace_pattern.has_value()) {
      layout.set_whitespace_pattern(*spec.layout.whitespace_pattern);
    }
    layout.set_closed_objects(spec.layout.closed_objects);
  }
  for (const std::vector<TokenId>& marker : spec.start_after) {
    message.add_start_after()->mutable_ids()->Add(marker.begin(), marker.end());
  }
  message.set_start_after_text(spec.start_after_text);
  return message;
}

absl::StatusOr<ConstraintSpec> FromMessage(const v1::Constraint& message) {
  ASSIGN_OR_RETURN(ConstraintSpec spec, ReadForm(message));
  spec.layout.compact = message.json_layout().compact();
  if (message.json_layout().has_whitespace_pattern()) {
    spec.layout.whitespace_pattern = message.json_layout().whitespace_pattern();
  }
  spec.layout.closed_objects = message.json_layout().closed_objects();
  RETURN_IF_ERROR(ReadMarkers(message, spec));
  return spec;
}

}  // namespace baton
