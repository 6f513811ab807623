// All tokens that a text starts with, found in one pass over its bytes.
//
// Threading: immutable once built.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/text/tokenizer/token_table.h"

namespace baton {

// A byte trie in one array: the child of a node by a byte lies at the node's offset plus the byte.
class TokenTrie {
 public:
  // Of equal tokens the last one is found.
  explicit TokenTrie(const TokenTable& tokens);

  // Calls `visit(length, id)` for each, shortest first.
  template <typename Visit>
  void ForEachPrefix(std::string_view text, Visit&& visit) const {
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      const uint32_t child = nodes_[node].offset + byte;
      if (child >= nodes_.size() || nodes_[child].parent != node) return;
      node = child;
      if (nodes_[node].id != kNoToken) visit(i + 1, nodes_[node].id);
    }
  }

 private:
  struct Node {
    uint32_t offset = 0;
    uint32_t parent = UINT32_MAX;  // UINT32_MAX: free
    TokenId id = kNoToken;
  };

  struct Range;

  // Gives the children of `node`, whose tokens are `range` of the sorted list, their places.
  void Place(uint32_t node, const Range& range, const std::vector<TokenId>& sorted,
             const TokenTable& tokens, std::vector<std::pair<uint32_t, Range>>& open);
  uint32_t FindOffset(const std::vector<unsigned char>& bytes);

  std::vector<Node> nodes_;
  uint32_t first_free_ = 1;
};

}  // namespace baton
