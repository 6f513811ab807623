#include "common/text/tokenizer/token_trie.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace baton {
namespace {

// A place is looked for among so many free ones before the array grows: keeps building linear.
constexpr int kProbesMax = 64;

}  // namespace

// Tokens [begin, end) of the sorted list share their first `depth` bytes.
struct TokenTrie::Range {
  size_t begin;
  size_t end;
  size_t depth;
};

TokenTrie::TokenTrie(const TokenTable& tokens) {
  std::vector<TokenId> sorted(tokens.size());
  std::iota(sorted.begin(), sorted.end(), 0);
  std::erase_if(sorted, [&](TokenId id) { return tokens[id].empty(); });
  std::sort(sorted.begin(), sorted.end(), [&](TokenId a, TokenId b) {
    return std::pair(tokens[a], a) < std::pair(tokens[b], b);
  });
  nodes_.resize(2);
  nodes_[0].parent = UINT32_MAX - 1;  // taken, and nobody's child
  std::vector<std::pair<uint32_t, Range>> open = {{0, {0, sorted.size(), 0}}};
  while (!open.empty()) {
    const auto [node, range] = open.back();
    open.pop_back();
    Place(node, range, sorted, tokens, open);
  }
}

void TokenTrie::Place(uint32_t node, const Range& range, const std::vector<TokenId>& sorted,
                      const TokenTable& tokens, std::vector<std::pair<uint32_t, Range>>& open) {
  std::vector<unsigned char> bytes;
  std::vector<Range> ranges;
  for (size_t i = range.begin; i < range.end; ++i) {
    const std::string_view token = tokens[sorted[i]];
    if (token.size() == range.depth) {
      nodes_[node].id = sorted[i];
      continue;
    }
    const auto byte = static_cast<unsigned char>(token[range.depth]);
    if (bytes.empty() || bytes.back() != byte) {
      bytes.push_back(byte);
      ranges.push_back({i, i, range.depth + 1});
    }
    ranges.back().end = i + 1;
  }
  if (bytes.empty()) {
    nodes_[node].offset = static_cast<uint32_t>(nodes_.size());
    return;
  }
  const uint32_t offset = FindOffset(bytes);
  nodes_[node].offset = offset;
  for (size_t i = 0; i < bytes.size(); ++i) {
    nodes_[offset + bytes[i]].parent = node;
    open.emplace_back(offset + bytes[i], ranges[i]);
  }
}

uint32_t TokenTrie::FindOffset(const std::vector<unsigned char>& bytes) {
  while (first_free_ < nodes_.size() && nodes_[first_free_].parent != UINT32_MAX) ++first_free_;
  uint32_t place = std::max<uint32_t>(first_free_, bytes[0] + 1u);
  for (int probes = 0;; ++place) {
    const uint32_t offset = place - bytes[0];
    if (nodes_.size() <= offset + bytes.back()) nodes_.resize(offset + bytes.back() + 1);
    if (nodes_[place].parent != UINT32_MAX) continue;
    const bool fits = std::all_of(bytes.begin(), bytes.end(), [&](unsigned char byte) {
      return nodes_[offset + byte].parent == UINT32_MAX;
    });
    if (fits) return offset;
    if (++probes < kProbesMax) continue;
    first_free_ = std::max(first_free_, place);
    probes = 0;
  }
}

}  // namespace baton
