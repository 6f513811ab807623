// What tokenizer_config.json adds to tokenizer.json: the roles of special tokens and chat
// templates.
//
// Threading: a value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton {

struct TokenizerConfig {
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::optional<std::string> unk_token;
  std::optional<std::string> pad_token;

  // By name; a file with one unnamed template has it under "default".
  std::map<std::string, std::string> chat_templates;
};

// INVALID_ARGUMENT, naming the key, when the text is no JSON object or a known key has a wrong
// type; unknown keys are ignored.
absl::StatusOr<TokenizerConfig> ParseTokenizerConfig(std::string_view json);

}  // namespace baton
