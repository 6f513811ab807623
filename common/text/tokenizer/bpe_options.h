// How a vocabulary of byte-pair encoding is to be read.
//
// Threading: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/ids.h"

namespace baton {

struct BpeOptions {
  // What merging starts from.
  enum class Unit : uint8_t { kByte, kChar } unit = Unit::kByte;

  // A piece that is a token needs no merges to be one (Llama 3).
  bool ignore_merges = false;

  // Stands for units without a token of their own; several in a row become one if `fuse_unk`.
  // Without it they vanish, or are an error when the file names a token that does not exist.
  std::optional<TokenId> unk_id = std::nullopt;
  bool unk_missing = false;
  bool fuse_unk = false;

  // Units without a token of their own become the tokens of their bytes ("<0xE2>"), if all exist.
  bool byte_fallback = false;

  // What tokens have in front that do not start a piece, and at the end of those that end it.
  std::string continuing_prefix;
  std::string end_suffix;
};

}  // namespace baton
