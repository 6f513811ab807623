#include "worker/kv/prefix_cache.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "common/base/check.h"

namespace baton::worker {
namespace {

size_t Index(int32_t value) { return static_cast<size_t>(value); }

}  // namespace

PrefixCache::PrefixCache(BlockPool& pool, int32_t block_size, KvEventLog& log)
    : pool_(pool),
      block_size_(block_size),
      log_(log),
      nodes_(Index(pool.block_count())),
      tokens_(Index(pool.block_count()) * Index(block_size)) {
  matched_.reserve(nodes_.size());
  by_hash_.reserve(nodes_.size());
}

absl::Span<const TokenId> PrefixCache::TokensOf(int32_t node) const {
  return absl::MakeConstSpan(tokens_).subspan(Index(node) * Index(block_size_), Index(block_size_));
}

// The node of this hash if it is this very prefix; kNone if there is none or it is another one.
int32_t PrefixCache::Find(int32_t parent, BlockHash hash, absl::Span<const TokenId> tokens) const {
  const auto entry = by_hash_.find(hash);
  if (entry == by_hash_.end()) return kNone;
  const Node& node = nodes_[Index(entry->second)];
  const bool same = node.parent == parent && TokensOf(entry->second) == tokens;
  return same ? entry->second : kNone;
}

template <typename Visit>
void PrefixCache::WalkMatch(absl::Span<const TokenId> tokens, absl::Span<const BlockHash> hashes,
                            Visit visit) const {
  const size_t size = Index(block_size_);
  int32_t parent = kNone;
  for (size_t block = 0; block < hashes.size() && (block + 1) * size < tokens.size(); ++block) {
    const int32_t node = Find(parent, hashes[block], tokens.subspan(block * size, size));
    if (node == kNone) return;
    visit(node);
    parent = node;
  }
}

PrefixMatch PrefixCache::Lookup(absl::Span<const TokenId> tokens,
                                absl::Span<const BlockHash> hashes) {
  matched_.clear();
  PrefixMatch match;
  WalkMatch(tokens, hashes, [&](int32_t node) {
    match.node = {node};
    matched_.push_back(BlockId(node));
  });
  match.blocks = pool_.Hold(matched_);
  return match;
}

int32_t PrefixCache::CountMatch(absl::Span<const TokenId> tokens,
                                absl::Span<const BlockHash> hashes) const {
  int32_t count = 0;
  WalkMatch(tokens, hashes, [&](int32_t) { ++count; });
  return count;
}

PrefixNode PrefixCache::Publish(PrefixNode parent, BlockHash hash, absl::Span<const TokenId> tokens,
                                BlockTable& table, int32_t index) {
  BATON_CHECK(tokens.size() == Index(block_size_)) << "Publish: tokens=" << tokens.size();
  if (parent.closed()) return parent;
  const BlockId own = table.ids()[Index(index)];
  const int32_t equal = Find(parent.block, hash, tokens);
  if (equal != kNone) {
    BATON_CHECK(equal != own.value()) << "Publish: kept already: block=" << equal;
    table.Exchange(index, BlockId(equal));
    return {equal};
  }
  if (by_hash_.contains(hash)) return {PrefixNode::kClosed};
  AddNode(own, parent.block, hash, tokens);
  return {own.value()};
}

void PrefixCache::AddNode(BlockId block, int32_t parent, BlockHash hash,
                          absl::Span<const TokenId> tokens) {
  const int32_t index = block.value();
  pool_.Keep(block, *this);
  nodes_[Index(index)] = {.hash = hash, .parent = parent, .birth = ++births_};
  std::copy(tokens.begin(), tokens.end(), tokens_.begin() + Index(index) * Index(block_size_));
  if (parent != kNone) ++nodes_[Index(parent)].children;
  by_hash_.emplace(hash, index);
  log_.Stored(hash);
}

void PrefixCache::OnReclaim(BlockId block) {
  Node& node = nodes_[Index(block.value())];
  BATON_CHECK(node.birth != 0) << "PrefixCache: not kept: block=" << block.value();
  BATON_CHECK(node.children == 0) << "PrefixCache: reclaimed before its children";
  if (node.parent != kNone) --nodes_[Index(node.parent)].children;
  by_hash_.erase(node.hash);
  log_.Removed(node.hash);
  node = {};
}

std::vector<BlockHash> PrefixCache::Resident() const {
  std::vector<const Node*> nodes;
  nodes.reserve(by_hash_.size());
  for (const auto& [hash, index] : by_hash_) nodes.push_back(&nodes_[Index(index)]);
  std::sort(nodes.begin(), nodes.end(),
            [](const Node* a, const Node* b) { return a->birth < b->birth; });
  std::vector<BlockHash> hashes;
  hashes.reserve(nodes.size());
  for (const Node* node : nodes) hashes.push_back(node->hash);
  return hashes;
}

void PrefixCache::CheckIntegrity() const {
  std::vector<int32_t> children(nodes_.size());
  for (const auto& [hash, index] : by_hash_) {
    const Node& node = nodes_[Index(index)];
    BATON_CHECK(node.hash == hash && node.birth != 0) << "PrefixCache: node=" << index;
    if (node.parent == kNone) continue;
    const Node& parent = nodes_[Index(node.parent)];
    BATON_CHECK(parent.birth != 0 && parent.birth < node.birth)
        << "PrefixCache: a child without its parent: node=" << index;
    ++children[Index(node.parent)];
  }
  size_t kept = 0;
  for (size_t index = 0; index < nodes_.size(); ++index) {
    BATON_CHECK(nodes_[index].children == children[index])
        << "PrefixCache: children of node=" << index;
    kept += static_cast<size_t>(nodes_[index].birth != 0);
  }
  BATON_CHECK(kept == by_hash_.size()) << "PrefixCache: kept=" << kept;
}

}  // namespace baton::worker
