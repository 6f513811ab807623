// The stages and tables that a Tokenizer is made of.
//
// Threading: immutable once handed to a Tokenizer.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/base/ids.h"
#include "common/text/tokenizer/added_tokens.h"
#include "common/text/tokenizer/detokenizer_plan.h"
#include "common/text/tokenizer/normalizer.h"
#include "common/text/tokenizer/pre_tokenizer.h"
#include "common/text/tokenizer/token_framing.h"
#include "common/text/tokenizer/token_model.h"
#include "common/text/tokenizer/token_table.h"

namespace baton {

struct TokenizerParts {
  TokenTable texts;  // as the vocabulary spells them, added tokens included; indexed
  DetokenizerPlan detokenizer;
  std::vector<bool> special;  // by id

  AddedTokenMatcher raw_added;                        // found in the text as it is
  std::unique_ptr<const Normalizer> normalizer;       // may be null
  AddedTokenMatcher normalized_added;                 // found after normalization
  std::unique_ptr<const PreTokenizer> pre_tokenizer;  // may be null
  std::unique_ptr<const TokenModel> model;
  SpecialTokenFrame frame;

  std::optional<TokenId> bos_id;
  std::optional<TokenId> eos_id;
  std::optional<TokenId> unk_id;
  std::optional<TokenId> pad_id;
  std::vector<TokenId> stop_ids;
};

}  // namespace baton
