// A tokenizer as a file describes it, whatever the file's format: what the loaders agree on.
//
// Threading: a value, for the duration of loading. Ownership: texts are views of the file's bytes
// or of `owned`. Errors:    INVALID_ARGUMENT from BuildTokenizer for merges of unknown tokens and
// clashing ids.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/text/tokenizer/added_tokens.h"
#include "common/text/tokenizer/component_config.h"
#include "common/text/tokenizer/decoder.h"
#include "common/text/tokenizer/normalizer.h"
#include "common/text/tokenizer/pre_tokenizer.h"
#include "common/text/tokenizer/token_framing.h"
#include "common/text/tokenizer/token_model.h"
#include "common/text/tokenizer/tokenizer.h"

namespace baton {

struct TokenizerComponents {
  std::unique_ptr<const Normalizer> normalizer;        // may be null
  std::unique_ptr<const PreTokenizer> pre_tokenizer;   // may be null
  std::unique_ptr<const TokenFraming> post_processor;  // may be null
  std::unique_ptr<const TokenDecoder> decoder;         // null: tokens joined by spaces
};

// From the members normalizer, pre_tokenizer, post_processor and decoder of a document.
absl::StatusOr<TokenizerComponents> MakeComponents(const ComponentConfig& document);

// A model and its vocabulary.
struct TokenModelSource {
  enum class Kind : uint8_t { kBpe, kUnigram, kWordPiece, kWordLevel };
  using Merge = std::pair<std::string_view, std::string_view>;

  Kind kind = Kind::kBpe;
  std::vector<std::string_view> tokens;  // by id; empty ones are holes
  std::optional<std::string_view> unk;   // stands for what no token spells; by name,
  std::optional<TokenId> unk_id;         // or by number
  bool byte_fallback = false;            // BPE and unigram: unless tokens of single bytes do

  // BPE: merges in order of rank, or the tokens that any two others may merge into, in that order.
  std::vector<Merge> merges;
  std::optional<std::vector<TokenId>> products;
  bool ignore_merges = false;
  bool fuse_unk = false;
  std::string continuing_prefix;  // WordPiece too
  std::string end_suffix;

  std::vector<double> scores;     // unigram: by id
  std::vector<bool> hidden;       // unigram: by id, tokens that text never becomes; or empty
  uint64_t word_chars_max = 100;  // WordPiece
};

struct TokenizerSource {
  TokenModelSource model;
  std::deque<std::string> owned;

  std::vector<AddedToken> added;

  // The size of the vocabulary, where ids of added tokens follow from it, whatever the file says of
  // them: a token of the vocabulary keeps its id there, new ones count up behind it.
  std::optional<size_t> added_count_from;

  TokenizerComponents components;
  SpecialTokenFrame frame;  // around what the post-processor adds

  std::optional<TokenId> bos_id;
  std::optional<TokenId> eos_id;
  std::optional<TokenId> unk_id;
  std::optional<TokenId> pad_id;
  std::vector<TokenId> stop_ids;
};

// Ids beyond this are a damaged file, not a vocabulary of `token_count` tokens: holes cost memory.
constexpr uint64_t TokenIdEnd(size_t token_count) { return 2 * token_count + (1u << 20); }

// The model; takes pre_tokenizer's bytes as letters where it has to. `texts`: model.tokens,
// indexed.
absl::StatusOr<std::unique_ptr<const TokenModel>> MakeTokenModel(
    const TokenModelSource& model, const TokenTable& texts,
    std::unique_ptr<const PreTokenizer>& pre_tokenizer);

absl::StatusOr<TokenizerParts> BuildTokenizer(TokenizerSource source);

// Sets the roles that tokenizer_config.json names; INVALID_ARGUMENT when BOS or EOS is no token.
absl::Status ApplyRoles(const TokenizerConfig& config, TokenizerParts& parts);

}  // namespace baton
