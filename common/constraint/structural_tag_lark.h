// A structural tag in the engine's language.
//
// Free text has no end of its own: it ends where what follows it begins. So free text and the
// literal behind it become one lexeme that ends at the literal's first occurrence; behind free text
// nothing else may stand than a literal, a token, or the end of the output.
//
// Threading: pure function, any thread.
// Errors:    INVALID_ARGUMENT with the path of the format at fault, for schemas and grammars as
//            PrepareJsonSchema and ParseGbnf have them, for tokens that the vocabulary does not
//            have, and for triggers of which one is a part of another.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/constraint/structural_tag.h"
#include "common/constraint/token_vocabulary.h"

namespace baton {

absl::StatusOr<std::string> StructuralTagToLark(const tag::Format& format, const JsonLayout& layout,
                                                const TokenVocabulary& vocabulary);

}  // namespace baton
