// The fields of a request that say what its answer must match: OpenAI's response_format, vLLM's
// structured_outputs and the older guided_*, llama.cpp's grammar and json_schema.
//
// Threading: pure functions, any thread.
// Errors:    schema problems are noted on the field; ResolveConstraint gives INVALID_ARGUMENT with
//            the field for what is missing, empty, or asked for twice.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/constraint/constraint_spec.h"
#include "frontend/json/json_field.h"

namespace baton::frontend {

struct GenerationRequest;

// What the fields said, before they are weighed against each other.
struct ConstraintInput {
  std::optional<ConstraintSpec> response_format = {};
  std::optional<ConstraintSpec> structured = {};  // the last form that was named
  std::string_view structured_field = {};         // which one
  int structured_count = 0;
  bool structured_given = false;  // structured_outputs, even without a form
  JsonLayout layout = {};
  // Ours: where the constraint begins, as ConstraintSpec has it.
  std::vector<std::vector<TokenId>> start_after = {};
  std::string start_after_text = {};
  bool start_given = false;
  bool schema_missing = false;  // response_format: json_schema without one
};

void ReadResponseFormat(const JsonField& field, GenerationRequest& request);
void ReadStructuredOutputs(const JsonField& field, GenerationRequest& request);
void ReadGuidedWhitespace(const JsonField& field, GenerationRequest& request);
// guided_json, guided_regex, ...; grammar and json_schema: one form at the top level.
void ReadTopLevelForm(const JsonField& field, GenerationRequest& request);

// Absent: anything goes. response_format wins.
absl::StatusOr<std::optional<ConstraintSpec>> ResolveConstraint(const ConstraintInput& input);

}  // namespace baton::frontend
