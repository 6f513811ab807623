// Text to token ids and back, with the results of Hugging Face's tokenizers.
//
//   ASSIGN_OR_RETURN(auto tokenizer, Tokenizer::FromGguf(file.metadata()));
//   ASSIGN_OR_RETURN(std::vector<TokenId> ids, tokenizer->Encode("Hello", {}));
//   std::string text = tokenizer->Decode(ids, SpecialTokens::kSkip);
//
// Text that streams out goes through IncrementalDetokenizer instead of Decode.
//
// Threading: immutable after construction; every method may be called from any thread at once.
// Ownership: owns its tables; copies everything out of the JSON or GGUF bytes it was made from.
// Errors:    INVALID_ARGUMENT for a malformed file, naming the place in it; UNIMPLEMENTED for a
//            component type, pattern or option it does not know, naming it and those it knows.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/gguf/gguf_metadata.h"
#include "common/text/tokenizer/tokenizer_config.h"

namespace baton {

class DetokenizerPlan;  // how ids become text: detokenizer_plan.h
struct TokenizerParts;  // what a loader hands to the constructor: tokenizer_parts.h

struct EncodeOptions {
  // Adds what the model's template puts around every prompt (the BOS token of Llama 3). Off for
  // chat, whose template writes those itself.
  bool add_special_tokens = true;

  // Recognises special tokens spelled in the text ("<|im_end|>"). Off for text that a user wrote,
  // when it must not be able to forge them.
  bool parse_special = true;

  // Sorted offsets in the text: a special token that has one of them inside is plain text. For
  // prompts in which a user's text stands between markup.
  std::span<const size_t> plain_at = {};
};

enum class SpecialTokens { kKeep, kSkip };

class Tokenizer {
 public:
  // From the text of tokenizer.json; `config` says which tokens are BOS, EOS and so on.
  static absl::StatusOr<std::unique_ptr<const Tokenizer>> FromJson(std::string_view tokenizer_json,
                                                                   const TokenizerConfig& config);

  // From the tokenizer.ggml.* keys of a GGUF file.
  static absl::StatusOr<std::unique_ptr<const Tokenizer>> FromGguf(const GgufMetadata& metadata);

  // From the bytes of sentencepiece's tokenizer.model. `config` may name roles again.
  static absl::StatusOr<std::unique_ptr<const Tokenizer>> FromSentencePiece(
      std::string_view model, const TokenizerConfig& config);

  // From the lines of a tiktoken file, "base64 rank" each. Special tokens, roles and the class that
  // tells the expression come from `config`.
  static absl::StatusOr<std::unique_ptr<const Tokenizer>> FromTiktoken(
      std::string_view ranks, const TokenizerConfig& config);

  // From the text of Mistral's tekken.json.
  static absl::StatusOr<std::unique_ptr<const Tokenizer>> FromTekken(std::string_view tekken_json,
                                                                     const TokenizerConfig& config);

  explicit Tokenizer(TokenizerParts parts);
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;
  ~Tokenizer();

  // Bytes that are not UTF-8 are encoded as they are, where the vocabulary can spell bytes.
  // INVALID_ARGUMENT for text of more than 1 GiB, or that the vocabulary cannot spell.
  absl::StatusOr<std::vector<TokenId>> Encode(std::string_view text,
                                              const EncodeOptions& options) const;

  // The text of all ids together; ids outside the vocabulary add nothing, bytes that form no
  // character become U+FFFD.
  std::string Decode(std::span<const TokenId> ids, SpecialTokens special) const;

  // Ids are below this; some may be unused.
  size_t vocab_size() const;

  // The bytes that a token adds to the text when it is not the first, maybe a part of a character;
  // empty for unknown ids. Valid while the tokenizer lives.
  std::string_view TokenBytes(TokenId id) const;

  // How all of them become text; IncrementalDetokenizer's business.
  const DetokenizerPlan& detokenizer() const;

  // The token as the vocabulary spells it ("Ġthe"), and back.
  std::string_view TokenText(TokenId id) const;
  std::optional<TokenId> FindToken(std::string_view text) const;

  // True for tokens that are markup and no text, such as "<|im_end|>".
  bool IsSpecial(TokenId id) const;

  std::optional<TokenId> bos_id() const;
  std::optional<TokenId> eos_id() const;
  std::optional<TokenId> unk_id() const;
  std::optional<TokenId> pad_id() const;

  // The tokens that end a turn: EOS, and those a GGUF file names besides (end of turn, of message).
  const std::vector<TokenId>& stop_ids() const;

 private:
  struct Scratch;

  // Encodes text between raw added tokens, and between normalized ones; `front` as PieceBuffer
  // takes it.
  absl::Status EncodeSegment(std::string_view text, bool at_front, bool parse_special,
                             Scratch& scratch, std::vector<TokenId>& ids) const;
  absl::Status EncodePlain(std::string_view text, size_t front, Scratch& scratch,
                           std::vector<TokenId>& ids) const;

  const std::unique_ptr<const TokenizerParts> parts_;
};

}  // namespace baton
