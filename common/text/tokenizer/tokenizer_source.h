// A tokenizer as a file describes it, whatever the file's format: what the loaders agree on.
//
// Threading: a value, for the duration of loading. Ownership: texts are views of the file's bytes.
// Errors:    INVALID_ARGUMENT from BuildTokenizer for merges of unknown tokens and clashing ids;
//            UNIMPLEMENTED for a combination of components that does not exist yet.
#pragma once

#include <memory>
#include <optional>
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
#include "common/text/tokenizer/tokenizer.h"

namespace baton {

struct TokenizerComponents {
  std::unique_ptr<const Normalizer> normalizer;  // may be null
  std::unique_ptr<const PreTokenizer> pre_tokenizer;
  std::unique_ptr<const TokenFraming> post_processor;  // may be null
  std::unique_ptr<const TokenDecoder> decoder;
};

// From the members normalizer, pre_tokenizer, post_processor and decoder of a document.
absl::StatusOr<TokenizerComponents> MakeComponents(const ComponentConfig& document);

struct TokenizerSource {
  using Merge = std::pair<std::string_view, std::string_view>;

  // The model: byte-pair encoding.
  std::vector<std::string_view> tokens;  // by id; empty ones are holes
  std::vector<Merge> merges;             // in order of rank
  bool ignore_merges = false;
  bool fuse_unk = false;
  std::optional<std::string_view> model_unk;

  std::vector<AddedToken> added;
  TokenizerComponents components;
  SpecialTokenFrame frame;  // around what the post-processor adds

  std::optional<TokenId> bos_id;
  std::optional<TokenId> eos_id;
  std::optional<TokenId> unk_id;
  std::optional<TokenId> pad_id;
  std::vector<TokenId> stop_ids;
};

absl::StatusOr<TokenizerParts> BuildTokenizer(TokenizerSource source);

}  // namespace baton
