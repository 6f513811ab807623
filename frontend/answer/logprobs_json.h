// Log-probabilities in the shapes of the API.
//
//   chat:        {"content":[{"token","logprob","bytes","top_logprobs":[…]}…]}
//   completions: {"text_offset":[…],"token_logprobs":[…],"tokens":[…],"top_logprobs":[{…}…]}
//   tokens:      {"content":[{"token_id","logprob","rank","top_logprobs":[…]}…]}
//
// Threading: pure functions; LegacyLogprobs owned by one answer's strand.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "baton/v1/inference.pb.h"
#include "common/base/ids.h"
#include "common/text/tokenizer/tokenizer.h"
#include "common/text/unicode/utf8.h"

namespace baton::frontend {

// How tokens are shown.
struct TokenStyle {
  const Tokenizer& tokenizer;
  bool as_ids = false;   // "token_id:17" instead of the text
  size_t top_count = 0;  // alternatives per token
  // The alternatives were named by the client: the drawn token goes in front of them, if it is
  // none.
  bool adds_drawn = false;
  // Of the token-level API: the drawn token is the first of the alternatives, and one of them.
  bool drawn_is_first = false;
};

// What each token of a sequence adds to the text: a character that several tokens make up belongs
// to the one that completes it, so that all of them together are the text.
class TokenTexts {
 public:
  // What `id` adds, or would add, behind the tokens so far.
  std::string Of(const Tokenizer& tokenizer, TokenId id) const;
  void Advance(const Tokenizer& tokenizer, TokenId id);
  void Advance(const Tokenizer& tokenizer, std::span<const TokenId> ids);

 private:
  Utf8Assembler so_far_;
};

// Appends entries of the chat shape, separated by commas. `logprobs` covers at least `ids`, which
// go on from `texts`. The bytes are each token's own. A row of alternatives ends where one is
// kNoToken.
void AppendChatLogprobs(const TokenStyle& style, std::span<const TokenId> ids,
                        const v1::TokenLogprobs& logprobs, TokenTexts& texts, std::string* out);

// The same of the tokens' shape: alternatives begin with the drawn token, which counts as one.
void AppendTokenLogprobs(const TokenStyle& style, std::span<const TokenId> ids,
                         const v1::TokenLogprobs& logprobs, std::string* out);

// Appends [null,{"<id>":{"logprob":…,"rank":…,"decoded_token":"…"},…},…]: for each token of the
// prompt what it was worth, and what else was likely. `logprobs` covers those after the first.
void AppendPromptLogprobs(const TokenStyle& style, std::span<const TokenId> prompt,
                          const v1::TokenLogprobs& logprobs, std::string* out);

// Appends entries of llama.cpp's shape, separated by commas:
//   {"id","token","bytes","logprob","top_logprobs":[…]}, or of probabilities "prob","top_probs",
//   where alternatives that were cut before the draw are left out.
void AppendLlamaProbabilities(const TokenStyle& style, bool as_probabilities,
                              std::span<const TokenId> ids, const v1::TokenLogprobs& logprobs,
                              std::string* out);

// Collects the four lists of the completions shape.
class LegacyLogprobs {
 public:
  // `offset` is where the first token's text starts, in characters.
  explicit LegacyLogprobs(size_t offset) : offset_(offset) {}

  void Add(const TokenStyle& style, std::span<const TokenId> ids,
           const v1::TokenLogprobs& logprobs);

  // A whole prompt, of whose first token nothing is known. `logprobs` covers the others.
  void AddPrompt(const TokenStyle& style, std::span<const TokenId> prompt,
                 const v1::TokenLogprobs& logprobs);

  // Tokens that were shown elsewhere: what comes next may complete a character of theirs.
  void GoOnBehind(const Tokenizer& tokenizer, std::span<const TokenId> ids) {
    texts_.Advance(tokenizer, ids);
  }

  // The offset of the token after the last.
  size_t offset() const { return offset_; }

  // Appends the object and starts over at offset().
  void AppendTo(std::string* out);

 private:
  // One token; a null `logprob` where nothing is known.
  void AddToken(const TokenStyle& style, TokenId id, const float* logprob);

  size_t offset_;
  TokenTexts texts_;
  std::string offsets_;
  std::string values_;
  std::string tokens_;
  std::string tops_;
};

}  // namespace baton::frontend
