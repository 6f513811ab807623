#include "frontend/request/constraint_parameters.h"

#include <simdjson.h>

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "common/constraint/constraint_message.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/generation_request.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;
using Kind = ConstraintSpec::Kind;

// A JSON document, or text that holds one.
std::string DocumentOf(Field field) {
  std::string_view text;
  if (field.value().get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  return simdjson::minify(field.value());
}

std::string_view LastName(std::string_view path) { return path.substr(path.rfind('.') + 1); }

void TakeForm(Field field, Kind kind, ConstraintInput& input) {
  ConstraintSpec spec{.kind = kind};
  switch (kind) {
    case Kind::kJsonSchema:
    case Kind::kStructuralTag:
      spec.text = DocumentOf(field);
      break;
    case Kind::kJsonObject:
      if (!field.Bool().value_or(true)) spec.text = "false";
      break;
    case Kind::kRegex:
    case Kind::kGrammar:
      spec.text = field.String().value_or("");
      break;
    case Kind::kChoice:
      spec.choices = field.StringList().value_or(std::vector<std::string>());
      break;
  }
  input.structured = std::move(spec);
  ++input.structured_count;
}

struct Form {
  std::string_view name;
  Kind kind;
};

// In structured_outputs, and at the top level.
constexpr Form kForms[] = {
    {"json", Kind::kJsonSchema},        {"regex", Kind::kRegex},
    {"choice", Kind::kChoice},          {"grammar", Kind::kGrammar},
    {"json_object", Kind::kJsonObject}, {"structural_tag", Kind::kStructuralTag},
};
constexpr Form kTopLevelForms[] = {
    {"guided_json", Kind::kJsonSchema},        {"guided_regex", Kind::kRegex},
    {"guided_choice", Kind::kChoice},          {"guided_grammar", Kind::kGrammar},
    {"guided_json_object", Kind::kJsonObject}, {"grammar", Kind::kGrammar},
    {"json_schema", Kind::kJsonSchema},
};

template <size_t size>
const Form* FindForm(const Form (&forms)[size], std::string_view name) {
  for (const Form& form : forms) {
    if (form.name == name) return &form;
  }
  return nullptr;
}

// {"name": ..., "schema": {...}, "strict": ...}
void ReadJsonSchemaFormat(Field field, ConstraintInput& input) {
  bool named = false;
  field.VisitMembers([&](std::string_view name, Field member) {
    if (name == "name") named = member.String().has_value();
    if (name == "strict" && !member.IsNull()) (void)member.Bool();
    if (name == "schema" && !member.IsNull()) {
      input.response_format = ConstraintSpec::JsonSchema(DocumentOf(member));
    }
  });
  if (!named) field.Missing("name");
  // A format without a schema is any object.
  if (!input.response_format.has_value()) input.response_format = ConstraintSpec::JsonObject();
}

// Empty, with the problem noted, for none that there is.
std::string FormatType(Field field) {
  const std::string type = field.String().value_or("");
  for (const char* known : {"text", "json_object", "json_schema", "structural_tag"}) {
    if (type == known) return type;
  }
  field.Problem("literal_error",
                "Input should be 'text', 'json_object', 'json_schema' or 'structural_tag'",
                "'expected': \"'text', 'json_object', 'json_schema' or 'structural_tag'\"");
  return "";
}

absl::Status Refuse(std::string_view message, std::string_view field) {
  return WithField(InvalidArgument(message), field);
}

absl::Status CheckForm(const ConstraintSpec& spec, std::string_view field) {
  if (spec.kind == Kind::kChoice && spec.choices.empty()) {
    return Refuse("Choice '[]' cannot be an empty list", field);
  }
  if (spec.kind == Kind::kJsonObject && spec.text == "false") {
    return Refuse("json_object must be true", field);
  }
  const bool has_text = spec.kind != Kind::kChoice && spec.kind != Kind::kJsonObject;
  if (has_text && spec.text.empty()) {
    return Refuse("a structured output constraint cannot be an empty string", field);
  }
  return absl::OkStatus();
}

}  // namespace

void ReadResponseFormat(Field field, GenerationRequest& request) {
  ConstraintInput& input = request.constraint_input;
  std::string type;
  bool has_type = false;
  const bool is_object = field.VisitMembers([&](std::string_view name, Field member) {
    if (name != "type") return;
    has_type = true;
    type = FormatType(member);
  });
  if (is_object && !has_type) field.Missing("type");
  if (type == "json_object") {
    input.response_format = ConstraintSpec::JsonObject();
    field.VisitMembers([&input](std::string_view name, Field member) {  // llama.cpp's
      if (name == "schema" && !member.IsNull()) {
        input.response_format = ConstraintSpec::JsonSchema(DocumentOf(member));
      }
    });
  } else if (type == "json_schema") {
    input.schema_missing = true;
    field.VisitMembers([&input](std::string_view name, Field member) {
      if (name != "json_schema" || member.IsNull()) return;
      input.schema_missing = false;
      ReadJsonSchemaFormat(member, input);
    });
  } else if (type == "structural_tag") {
    input.response_format = ConstraintSpec::StructuralTag(DocumentOf(field));
  }
}

namespace {

void ReadMarkers(Field field, ConstraintInput& input) {
  input.start_given = true;
  field.VisitItems([&input](Field item) {
    std::vector<TokenId>& marker = input.start_after.emplace_back();
    item.VisitItems([&marker](Field id) {
      const auto number = id.IntInRange(0, std::numeric_limits<TokenId>::max());
      marker.push_back(static_cast<TokenId>(number.value_or(0)));
    });
  });
}

}  // namespace

void ReadStructuredOutputs(Field field, GenerationRequest& request) {
  ConstraintInput& input = request.constraint_input;
  input.structured_given = true;
  input.structured_field = "structured_outputs";
  field.VisitMembers([&input](std::string_view name, Field member) {
    if (member.IsNull()) return;
    if (const Form* form = FindForm(kForms, name)) TakeForm(member, form->kind, input);
    if (name == "disable_any_whitespace") input.layout.compact = member.Bool().value_or(false);
    if (name == "disable_additional_properties") {
      input.layout.closed_objects = member.Bool().value_or(false);
    }
    if (name == "whitespace_pattern") input.layout.whitespace_pattern = member.String();
    if (name == "start_after_token_ids") ReadMarkers(member, input);
    if (name == "start_after_text") {
      input.start_given = true;
      input.start_after_text = member.String().value_or("");
    }
  });
}

void ReadGuidedWhitespace(Field field, GenerationRequest& request) {
  request.constraint_input.layout.whitespace_pattern = field.String();
}

void ReadTopLevelForm(Field field, GenerationRequest& request) {
  ConstraintInput& input = request.constraint_input;
  const Form* form = FindForm(kTopLevelForms, LastName(field.path()));
  if (form == nullptr || field.IsEmpty()) return;
  input.structured_field = form->name;
  TakeForm(field, form->kind, input);
}

absl::StatusOr<std::optional<ConstraintSpec>> ResolveConstraint(const ConstraintInput& input) {
  if (input.schema_missing) {
    return ParameterError(
        "When response_format type is 'json_schema', the 'json_schema' field must be provided.",
        "response_format", "");
  }
  std::optional<ConstraintSpec> spec = input.response_format;
  if (!spec.has_value()) {
    if (input.structured_count > 1) {
      return Refuse(
          "You can only use one kind of structured outputs constraint but multiple are specified",
          input.structured_field);
    }
    if (input.structured_count == 0 && !input.structured_given) return spec;
    if (input.structured_count == 0) {
      return Refuse("You must use one kind of structured outputs constraint but none are specified",
                    input.structured_field);
    }
    if (absl::Status status = CheckForm(*input.structured, input.structured_field); !status.ok()) {
      return status;
    }
    spec = input.structured;
  }
  spec->layout = input.layout;
  spec->start_after = input.start_after;
  spec->start_after_text = input.start_after_text;
  const absl::Status markers = CheckMarkers(*spec);
  if (!markers.ok()) return Refuse(ToStd(markers.message()), "structured_outputs");
  return spec;
}

}  // namespace baton::frontend
