// Tokens that are recognised in the text before anything else is done with it: "<|im_start|>" and
// other markup, special or not.
//
// Threading: immutable once built.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/ids.h"
#include "common/text/tokenizer/added_token.h"
#include "common/text/tokenizer/token_table.h"

namespace baton {

// A part of the text: a token that was recognised, or plain text (id kNoToken).
struct Segment {
  uint32_t begin;
  uint32_t end;
  TokenId id;
};

// Finds the leftmost, then longest of its tokens, over and over. Text without the first byte of any
// is passed over at the speed of memchr.
class AddedTokenMatcher {
 public:
  // Tokens with empty content are ignored, but for those that normalization emptied: such a one is
  // found between all characters, as in the reference. Of equal contents the last one counts.
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  // Replaces `segments` by those of `text`. Without `parse_special`, special tokens stay text; so
  // do those that have one of the offsets `plain_at` (sorted) inside.
  void Split(std::string_view text, bool parse_special, std::vector<Segment>& segments,
             std::span<const size_t> plain_at = {}) const;

 private:
  // A byte trie: the children of a node are a list of siblings.
  struct Node {
    uint32_t first_child = 0;  // 0: none, as the root is nobody's child
    uint32_t next_sibling = 0;
    uint32_t token = kNoToken;  // index into tokens_ of the one that ends here
    unsigned char byte = 0;
  };
  struct Match {
    size_t begin;
    size_t end;
    const AddedToken* token;
  };

  void Insert(uint32_t token);
  uint32_t Child(uint32_t node, unsigned char byte) const;
  std::optional<Match> FindNext(std::string_view text, size_t from) const;
  std::optional<Match> FindLongest(std::string_view text, size_t begin) const;
  std::optional<Match> FindMaybeEmpty(std::string_view text, bool first, size_t from) const;
  size_t FindCandidate(std::string_view text, size_t from) const;
  static bool IsInside(const Match& match, std::span<const size_t> plain_at);
  bool Accept(std::string_view text, const Match& match, bool parse_special) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;
  std::array<bool, 256> starts_{};    // bytes that start a token
  std::optional<char> single_start_;  // the only one, if there is only one
  bool finds_empty_ = false;          // one of the tokens has no content
};

}  // namespace baton
