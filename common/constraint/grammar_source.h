// A constraint as text for the grammar engine, in one of its own dialects: everything that clients
// may write has been checked and translated.
//
// Threading: pure function, any thread.
// Errors:    INVALID_ARGUMENT with the place, for what is malformed or cannot be enforced.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/constraint/constraint_spec.h"
#include "common/constraint/token_vocabulary.h"

namespace baton {

struct GrammarSource {
  const char* dialect = "lark";  // "json_schema", "regex" or "lark"
  std::string text;
  std::string subject;  // what errors speak of: "JSON schema"
};

absl::StatusOr<GrammarSource> LowerConstraint(const ConstraintSpec& spec,
                                              const TokenVocabulary& vocabulary);

}  // namespace baton
