// Prompts that mix text and tokens, and tokens shown piece by piece, as llama.cpp has both.
//
// Threading: pure functions, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/text/tokenizer/tokenizer.h"
#include "frontend/json/json_field.h"
#include "frontend/request/generation_request.h"

namespace baton::frontend {

// A text, or a list of texts and token ids; nullopt, with a problem noted, for anything else.
std::optional<PromptInput> ReadMixedPrompt(const JsonField& field);

// The tokens of all pieces; what a model puts around every prompt goes around the first text only.
// INVALID_ARGUMENT for an id outside the vocabulary.
absl::StatusOr<std::vector<TokenId>> EncodeMixedPrompt(const PromptInput& prompt,
                                                       const Tokenizer& tokenizer,
                                                       EncodeOptions options);

// INVALID_ARGUMENT for an id outside the vocabulary.
absl::Status CheckTokenIds(std::span<const TokenId> ids, size_t vocab_size);

// [{"id":1,"piece":"text"},…]; a piece that is no text by itself is a list of its bytes.
void AppendTokenPieces(const Tokenizer& tokenizer, std::span<const TokenId> ids, std::string* out);

}  // namespace baton::frontend
