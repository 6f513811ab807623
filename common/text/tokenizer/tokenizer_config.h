// What tokenizer_config.json adds to tokenizer.json: the roles of special tokens and chat
// templates.
//
// Threading: a value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/text/tokenizer/added_token.h"

namespace baton {

struct TokenizerConfig {
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::optional<std::string> unk_token;
  std::optional<std::string> pad_token;

  // What a tokenizer adds around every text, where no other file says.
  std::optional<bool> add_bos_token;
  std::optional<bool> add_eos_token;

  // Names the code that the reference uses; tiktoken files leave their expression to it.
  std::string tokenizer_class;

  // Of added_tokens_decoder, by rising id: what files without added tokens of their own lack, and
  // other flags for those of others.
  std::vector<AddedToken> added_tokens;

  // What the file names as tokens: those with a role, and further special ones.
  std::vector<AddedToken> role_tokens;
  std::vector<AddedToken> extra_special_tokens;

  // By name; a file with one unnamed template has it under "default".
  std::map<std::string, std::string> chat_templates;
};

// INVALID_ARGUMENT, naming the key, when the text is no JSON object or a known key has a wrong
// type; unknown keys are ignored.
absl::StatusOr<TokenizerConfig> ParseTokenizerConfig(std::string_view json);

}  // namespace baton
