// Which of a model's files tells how it tokenises.
//
// Threading: a pure function.
// Errors:    NOT_FOUND when there is none; those of the Tokenizer's loaders.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/text/tokenizer/tokenizer.h"

namespace baton {

// The bytes of a file by its name, or nullptr.
using ModelFileFinder = absl::FunctionRef<const std::string*(std::string_view name)>;

// From tokenizer.json, else tekken.json, tokenizer.model (sentencepiece, or tiktoken as Meta spells
// it) or tiktoken.model, or metadata.gguf.
absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizerFiles(ModelFileFinder find,
                                                                    const TokenizerConfig& config);

}  // namespace baton
