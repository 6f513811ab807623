// Which characters of a text each of its tokens stands for, as Hugging Face's fast tokenizers say
// it.
//
//   TokenOffsets(tokenizer, ids, "naïve")   // "na" {0, 2}, "ïve" {2, 5}
//
// Threading: pure, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/ids.h"
#include "common/text/tokenizer/tokenizer.h"

namespace baton::frontend {

// Characters [begin, end) of a text. A part of a character counts as that character.
struct TextSpan {
  size_t begin = 0;
  size_t end = 0;

  bool operator==(const TextSpan&) const = default;
};

// One per token: {0, 0} for one that was put around the text. Nothing where the tokens do not spell
// the text, as behind a tokenizer that changes letters first.
std::optional<std::vector<TextSpan>> TokenOffsets(const Tokenizer& tokenizer,
                                                  std::span<const TokenId> ids,
                                                  std::string_view text);

}  // namespace baton::frontend
