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
      tokens_(Index(pool.block_count()) * Index(block_size)),
      block_node_(Index(pool.block_count()), kNone),
      block_next_(Index(pool.block_count()), kNone) {
  free_nodes_.reserve(nodes_.size());
  matched_.reserve(nodes_.size());
  by_hash_.reserve(nodes_.size());
  for (int32_t index = pool.block_count(); index-- > 0;) free_nodes_.push_back(index);
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

// A block that somebody holds if there is one, so that an idle copy can still be reclaimed.
int32_t PrefixCache::PickBlock(const Node& node) const {
  for (int32_t block = node.first_block; block != kNone; block = block_next_[Index(block)]) {
    if (pool_.reference_count(BlockId(block)) > 0) return block;
  }
  return node.first_block;
}

PrefixMatch PrefixCache::Lookup(absl::Span<const TokenId> tokens,
                                absl::Span<const BlockHash> hashes) {
  matched_.clear();
  PrefixMatch match;
  WalkMatch(tokens, hashes, [&](int32_t node) {
    match.node = {node};
    matched_.push_back(BlockId(PickBlock(nodes_[Index(node)])));
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
                                BlockId block) {
  BATON_CHECK(tokens.size() == Index(block_size_)) << "Publish: tokens=" << tokens.size();
  if (parent.closed()) return parent;
  int32_t index = Find(parent.index, hash, tokens);
  if (index == kNone) {
    if (by_hash_.contains(hash)) return {PrefixNode::kClosed};
    index = NewNode(parent.index, hash, tokens);
    log_.Stored(hash);
  }
  pool_.Keep(block, *this);
  Node& node = nodes_[Index(index)];
  block_node_[Index(block.value())] = index;
  block_next_[Index(block.value())] = std::exchange(node.first_block, block.value());
  return {index};
}

int32_t PrefixCache::NewNode(int32_t parent, BlockHash hash, absl::Span<const TokenId> tokens) {
  BATON_CHECK(!free_nodes_.empty()) << "PrefixCache: more nodes than blocks";
  const int32_t index = free_nodes_.back();
  free_nodes_.pop_back();
  nodes_[Index(index)] = {.hash = hash, .parent = parent, .birth = ++births_};
  std::copy(tokens.begin(), tokens.end(), tokens_.begin() + Index(index) * Index(block_size_));
  if (parent != kNone) ++nodes_[Index(parent)].children;
  by_hash_.emplace(hash, index);
  return index;
}

void PrefixCache::FreeNode(int32_t index) {
  Node& node = nodes_[Index(index)];
  BATON_CHECK(node.children == 0) << "PrefixCache: reclaimed before its children";
  if (node.parent != kNone) --nodes_[Index(node.parent)].children;
  by_hash_.erase(node.hash);
  log_.Removed(node.hash);
  free_nodes_.push_back(index);
}

void PrefixCache::OnReclaim(BlockId block) {
  const int32_t index = std::exchange(block_node_[Index(block.value())], kNone);
  BATON_CHECK(index != kNone) << "PrefixCache: not kept: block=" << block.value();
  Node& node = nodes_[Index(index)];
  int32_t* link = &node.first_block;
  while (*link != block.value()) link = &block_next_[Index(*link)];
  *link = std::exchange(block_next_[Index(block.value())], kNone);
  if (node.first_block == kNone) FreeNode(index);
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
  size_t listed = 0;
  for (const auto& [hash, index] : by_hash_) {
    const Node& node = nodes_[Index(index)];
    BATON_CHECK(node.hash == hash && node.first_block != kNone) << "PrefixCache: node=" << index;
    for (int32_t block = node.first_block; block != kNone; block = block_next_[Index(block)]) {
      BATON_CHECK(block_node_[Index(block)] == index) << "PrefixCache: block=" << block;
      ++listed;
    }
    if (node.parent == kNone) continue;
    const Node& parent = nodes_[Index(node.parent)];
    BATON_CHECK(parent.first_block != kNone && parent.birth < node.birth)
        << "PrefixCache: a child without its parent: node=" << index;
    ++children[Index(node.parent)];
  }
  for (const auto& [hash, index] : by_hash_) {
    BATON_CHECK(nodes_[Index(index)].children == children[Index(index)])
        << "PrefixCache: children of node=" << index;
  }
  const auto kept = std::count_if(block_node_.begin(), block_node_.end(),
                                  [](int32_t node) { return node != kNone; });
  BATON_CHECK(listed == static_cast<size_t>(kept)) << "PrefixCache: kept=" << kept;
  BATON_CHECK(by_hash_.size() + free_nodes_.size() == nodes_.size()) << "PrefixCache: slots";
}

}  // namespace baton::worker
