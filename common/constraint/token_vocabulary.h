// A model's tokens as the grammar engine sees them: the bytes of each, which ones are markup, which
// ones end the output.
//
//   ASSIGN_OR_RETURN(auto vocabulary, TokenVocabulary::Create(tokenizer, {.size = info.vocab_size,
//                                                                         .end_ids = ends}));
//
// A full vocabulary takes some 0.1 s and 15 MB for every 30,000 tokens. Where grammars are only
// checked and no token is ever drawn, TokenVocabulary::ForChecks does the same for nothing: it
// knows the special tokens by name and id, and text byte by byte.
//
// Threading: immutable; any thread. Creation of a full one belongs on a thread with time.
// Ownership: copies what it needs of the tokenizer, except for lookups by FindToken.
// Errors:    INVALID_ARGUMENT for a vocabulary without tokens or ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/text/tokenizer/tokenizer.h"

struct LlgTokenizer;

namespace baton {

class TokenVocabulary {
 public:
  struct Options {
    uint32_t size = 0;             // ids are below it: the width of the logits
    std::vector<TokenId> end_ids;  // of the output; at least one
  };

  static absl::StatusOr<std::unique_ptr<const TokenVocabulary>> Create(const Tokenizer& tokenizer,
                                                                       Options options);
  // REQUIRES: the tokenizer outlives it.
  static absl::StatusOr<std::unique_ptr<const TokenVocabulary>> ForChecks(
      const Tokenizer& tokenizer, Options options);

  ~TokenVocabulary();
  TokenVocabulary(const TokenVocabulary&) = delete;
  TokenVocabulary& operator=(const TokenVocabulary&) = delete;

  // How a grammar refers to a token by its spelling: "<|im_end|>" where the engine knows the name,
  // "<[151645]>" otherwise; absent: there is no such token.
  std::optional<std::string> Reference(std::string_view token_text) const;

  uint32_t size() const { return options_.size; }
  // Of a mask: as many bits as there are tokens, those of ForChecks' own included.
  size_t mask_words() const { return (token_count_ + 31) / 32; }
  const std::vector<TokenId>& end_ids() const { return options_.end_ids; }
  const LlgTokenizer* handle() const { return handle_; }

 private:
  // Tokens with markup in front of their names, as the engine wants them.
  struct TokenList;

  TokenVocabulary(const Tokenizer& tokenizer, Options options);
  // Markup by its name, all other tokens by their bytes, or empty.
  TokenList ListTokens(bool with_bytes) const;
  bool IsMarkup(TokenId id) const;
  absl::Status Load(const TokenList& tokens);

  const Options options_;
  const Tokenizer& tokenizer_;
  size_t token_count_ = 0;
  LlgTokenizer* handle_ = nullptr;
};

}  // namespace baton
