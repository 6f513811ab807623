// Makes a JSON schema ready for the grammar engine, or says what of it cannot be enforced.
//
//   ASSIGN_OR_RETURN(std::string schema, PrepareJsonSchema(text, layout));
//
// The engine ignores what it does not know and names no places. So the schema is walked here first,
// along its references: every keyword that any draft of JSON Schema defines is known to the engine,
// or says nothing ("uniqueItems": false), or is an annotation, or the schema is refused. What can
// be said in the engine's terms without changing its meaning is rewritten: branches of a oneOf that
// are references are put in place, so that the engine sees that they exclude each other.
//
// Threading: pure functions, any thread with an ordinary stack.
// Errors:    INVALID_ARGUMENT with a JSON pointer to the keyword at fault ("#/properties/a/not").
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/constraint/constraint_spec.h"

namespace baton {

inline constexpr size_t kSchemaBytesMax = size_t{64} << 10;

// The schema as a document for the engine, its layout included. `subject` begins the messages.
absl::StatusOr<std::string> PrepareJsonSchema(std::string_view text, const JsonLayout& layout,
                                              std::string_view subject = "JSON schema");

}  // namespace baton
