// A GBNF grammar in the engine's language: the same set of texts, exactly.
//
// The engine cuts text into lexemes before it parses, always taking the longest, so a grammar may
// not simply be spelled in another way. Two translations are exact: a grammar without recursion
// becomes one terminal, and is matched as one regular expression, which is fast; in any other,
// every rule stays a rule and every terminal is a single character, which is some fifty times
// slower and still fast enough (a mask of a JSON grammar takes 2 ms).
//
// Threading: pure function, any thread.
// Errors:    INVALID_ARGUMENT for a token that the vocabulary does not have.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/constraint/gbnf.h"
#include "common/constraint/token_vocabulary.h"

namespace baton {

absl::StatusOr<std::string> GbnfToLark(const GbnfGrammar& grammar,
                                       const TokenVocabulary& vocabulary);

}  // namespace baton
