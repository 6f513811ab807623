// Where text can be cut before it is merged, so that the parts give the tokens that the whole
// gives. Vocabularies without pre-tokenizer (Llama 2, Gemma) take a whole document as one piece;
// cut, most of it is words that are tokens, found by one look-up.
//
// Why a cut is safe. A merge joins two neighbours into a token whose text is theirs, one behind the
// other. So the first token to cover both sides of a place came from a merge whose product has the
// unit left of it directly before the unit right of it. Where no merge has such a product, no pair
// across the place ever merges, and neither side's merges depend on the other: each side's are the
// merges of the whole on that side, in the same order, as lowest rank and leftmost compare alike.
// That asks that the units of the text are the symbols that merging starts from. Where a unit that
// is no token would vanish, its neighbours meet: nothing is cut then. Byte tokens and the unknown
// token are spelled unlike what they stand for: no merge may take one as a part. And as unknown
// units fuse, two that may be unknown are not cut apart.
//
// Threading: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/text/tokenizer/bpe_options.h"
#include "common/text/tokenizer/merge_table.h"
#include "common/text/tokenizer/token_table.h"

namespace baton {

class SafeCuts {
 public:
  // Only characters as units are cut apart, and without affixes: other pieces are short, or know
  // where they begin and end.
  SafeCuts(const TokenTable& tokens, std::span<const MergeTable::Merge> merges,
           const BpeOptions& options);

  // The end of the word that starts `text`: before the next "▁" behind anything else, if all such
  // places are safe.
  size_t WordEnd(std::string_view text) const;

  // The end of the part that starts `word`: the first safe place, or all of it.
  size_t PartEnd(std::string_view word) const {
    if (joined_.empty()) return word.size();
    size_t at = 1;
    while (at < word.size() && Joined(word[at - 1], word[at])) ++at;
    return at;
  }

 private:
  bool Joined(char left, char right) const {
    const size_t pair = Pair(left, right);
    return (joined_[pair / 64] >> (pair % 64) & 1) != 0;
  }
  void Join(char left, char right) {
    const size_t pair = Pair(left, right);
    joined_[pair / 64] |= uint64_t{1} << (pair % 64);
  }
  static size_t Pair(char left, char right) {
    return size_t{static_cast<unsigned char>(left)} << 8 | static_cast<unsigned char>(right);
  }

  void JoinProducts(const TokenTable& tokens, std::span<const MergeTable::Merge> merges);
  void JoinInsideCharacters();
  void JoinUnknown(const TokenTable& tokens);

  bool words_ = false;  // cuts before the mark are safe

  // A bit for each pair of bytes: set where a cut between a unit that ends with the first and one
  // that begins with the second is not known to be safe. Empty when no cut is.
  std::vector<uint64_t> joined_;
};

}  // namespace baton
