#include "worker/kv/prefix_cache.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "common/base/check.h"
#include "common/kv/prefix_check.h"

namespace baton::worker {
namespace {

constexpr int32_t kUnknown = -2;  // not looked for yet

size_t Index(int32_t value) { return static_cast<size_t>(value); }

}  // namespace

PrefixCache::PrefixCache(BlockPool& pool, int32_t block_size, KvEventLog& log,
                         const KvGroups& groups, uint64_t key)
    : pool_(pool),
      block_size_(block_size),
      key_(key),
      log_(log),
      nodes_(Index(pool.block_count())),
      tokens_(Index(pool.block_count()) * Index(block_size)) {
  for (size_t index = 0; index < groups.size(); ++index) {
    has_windows_ = has_windows_ || groups[index].window != 0;
    for (int32_t part = 0; part < groups[index].parts; ++part) {
      Table& table = tables_.emplace_back();
      table.group = groups[index];
      table.group_index = static_cast<int32_t>(index);
    }
  }
  for (Table& table : tables_) table.by_hash.reserve(nodes_.size() / tables_.size());
  holding_.reserve(nodes_.size());
}

absl::Span<const TokenId> PrefixCache::TokensOf(int32_t node) const {
  return BlockOf(tokens_, node);
}

absl::Span<const TokenId> PrefixCache::BlockOf(absl::Span<const TokenId> tokens,
                                               int32_t block) const {
  return tokens.subspan(Index(block) * Index(block_size_), Index(block_size_));
}

uint64_t PrefixCache::CheckOf(uint64_t parent, absl::Span<const TokenId> block) const {
  return has_windows_ ? PrefixCheck(key_, parent, std::span(block.data(), block.size())) : 0;
}

// ---- lookup ----

// The node of this hash if it is this very prefix; kNone if there is none or it is another one.
int32_t PrefixCache::FindChild(const Table& table, int32_t parent, BlockHash hash,
                               absl::Span<const TokenId> tokens) const {
  const auto entry = table.by_hash.find(hash);
  if (entry == table.by_hash.end()) return kNone;
  const Node& node = nodes_[Index(entry->second)];
  const bool same = node.parent == parent && TokensOf(entry->second) == tokens;
  return same ? entry->second : kNone;
}

int32_t PrefixCache::FindChecked(const Table& table, uint64_t check, BlockHash hash,
                                 absl::Span<const TokenId> tokens) const {
  const auto entry = table.by_hash.find(hash);
  if (entry == table.by_hash.end()) return kNone;
  const bool same =
      nodes_[Index(entry->second)].check == check && TokensOf(entry->second) == tokens;
  return same ? entry->second : kNone;
}

// How many of the first `most` blocks the table has from the beginning on.
int32_t PrefixCache::MatchFull(Table& table, absl::Span<const TokenId> tokens,
                               absl::Span<const BlockHash> hashes, int32_t most) {
  int32_t parent = kNone;
  for (int32_t block = 0; block < most; ++block) {
    parent = FindChild(table, parent, hashes[Index(block)], BlockOf(tokens, block));
    if (parent == kNone) return block;
    table.matched[Index(block)] = parent;
  }
  return most;
}

bool PrefixCache::HasInWindow(Table& table, absl::Span<const TokenId> tokens,
                              absl::Span<const BlockHash> hashes, int32_t block) {
  int32_t& node = table.matched[Index(block)];
  if (node == kUnknown) {
    node = FindChecked(table, checks_[Index(block)], hashes[Index(block)], BlockOf(tokens, block));
  }
  return node != kNone;
}

int32_t PrefixCache::FirstSeenBlock(const Table& table, int32_t block_count) const {
  return std::min(block_count, table.group.SeenFrom(block_count * block_size_) / block_size_);
}

// The longest prefix of at most `most` blocks behind which every window finds what it sees. Each
// block is looked up once per table; what is missing rules out all ends whose window it is in.
int32_t PrefixCache::MatchWindows(absl::Span<const TokenId> tokens,
                                  absl::Span<const BlockHash> hashes, int32_t most) {
  checks_.clear();
  uint64_t check = 0;
  for (int32_t block = 0; block < most; ++block) {
    checks_.push_back(check = CheckOf(check, BlockOf(tokens, block)));
  }
  int32_t end = most;
  for (bool settled = false; !settled;) {
    settled = true;
    for (Table& table : tables_) {
      if (table.group.window == 0) continue;
      for (int32_t block = end - 1; block >= FirstSeenBlock(table, end); --block) {
        if (HasInWindow(table, tokens, hashes, block)) continue;
        end = block;
        settled = false;
      }
    }
  }
  return end;
}

PrefixMatch PrefixCache::Lookup(absl::Span<const TokenId> tokens,
                                absl::Span<const BlockHash> hashes) {
  int32_t count = 0;
  if (!tokens.empty()) {
    const size_t whole = (tokens.size() - 1) / Index(block_size_);
    count = static_cast<int32_t>(std::min(hashes.size(), whole));
  }
  for (Table& table : tables_) {
    table.matched.assign(table.group.window == 0 ? Index(count) : 0, kNone);
  }
  for (Table& table : tables_) {
    if (table.group.window == 0) count = MatchFull(table, tokens, hashes, count);
  }
  if (has_windows_) {
    for (Table& table : tables_) {
      if (table.group.window != 0) table.matched.assign(Index(count), kUnknown);
    }
    count = MatchWindows(tokens, hashes, count);
  }
  return Hold(count);
}

// Holds what the lookup has found, of `block_count` blocks.
PrefixMatch PrefixCache::Hold(int32_t block_count) {
  PrefixMatch match;
  match.block_count = block_count;
  if (has_windows_ && block_count > 0) match.check = checks_[Index(block_count - 1)];
  for (const Table& table : tables_) {
    PrefixMatch::Table& held = match.tables.emplace_back();
    held.first_block = FirstSeenBlock(table, block_count);
    holding_.clear();
    for (int32_t block = held.first_block; block < block_count; ++block) {
      holding_.push_back(BlockId(table.matched[Index(block)]));
    }
    held.blocks = pool_.Hold(holding_);
    if (!holding_.empty()) held.node = {holding_.back().value()};
  }
  return match;
}

// ---- what is kept ----

PrefixNode PrefixCache::Publish(int32_t table_index, PrefixNode parent, const PublishedBlock& block,
                                BlockTable& table) {
  BATON_CHECK(block.tokens.size() == Index(block_size_))
      << "Publish: tokens=" << block.tokens.size();
  if (parent.closed()) return parent;
  const Table& kept = tables_[Index(table_index)];
  const bool windowed = kept.group.window != 0;
  const BlockId own = table.At(block.index);
  const int32_t equal = windowed ? FindChecked(kept, block.check, block.hash, block.tokens)
                                 : FindChild(kept, parent.block, block.hash, block.tokens);
  if (equal != kNone) {
    BATON_CHECK(equal != own.value()) << "Publish: kept already: block=" << equal;
    table.Exchange(block.index, BlockId(equal));
    return {equal};
  }
  if (kept.by_hash.contains(block.hash)) {
    // In a window, what follows does not depend on this one.
    return windowed ? parent : PrefixNode{PrefixNode::kClosed};
  }
  AddNode(table_index, own, windowed ? kNone : parent.block, block);
  return {own.value()};
}

void PrefixCache::AddNode(int32_t table_index, BlockId block, int32_t parent,
                          const PublishedBlock& published) {
  const int32_t index = block.value();
  Table& table = tables_[Index(table_index)];
  pool_.Keep(block, *this);
  nodes_[Index(index)] = {.hash = published.hash,
                          .check = published.check,
                          .table = table_index,
                          .parent = parent,
                          .birth = ++births_};
  std::copy(published.tokens.begin(), published.tokens.end(),
            tokens_.begin() + Index(index) * Index(block_size_));
  if (parent != kNone) ++nodes_[Index(parent)].children;
  table.by_hash.emplace(published.hash, index);
  log_.Stored(table.group_index, published.hash);
}

void PrefixCache::OnReclaim(BlockId block) {
  Node& node = nodes_[Index(block.value())];
  BATON_CHECK(node.birth != 0) << "PrefixCache: not kept: block=" << block.value();
  BATON_CHECK(node.children == 0) << "PrefixCache: reclaimed before its children";
  if (node.parent != kNone) --nodes_[Index(node.parent)].children;
  Table& table = tables_[Index(node.table)];
  table.by_hash.erase(node.hash);
  log_.Removed(table.group_index, node.hash);
  node = {};
}

// ---- reports ----

std::vector<BlockHash> PrefixCache::Resident(int32_t group) const {
  std::vector<const Table*> parts;
  for (const Table& table : tables_) {
    if (table.group_index == group) parts.push_back(&table);
  }
  std::vector<const Node*> nodes;
  for (const auto& [hash, index] : parts.front()->by_hash) {
    const BlockHash wanted = hash;
    const bool everywhere = std::all_of(parts.begin() + 1, parts.end(), [&](const Table* part) {
      return part->by_hash.contains(wanted);
    });
    if (everywhere) nodes.push_back(&nodes_[Index(index)]);
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const Node* a, const Node* b) { return a->birth < b->birth; });
  std::vector<BlockHash> hashes;
  hashes.reserve(nodes.size());
  for (const Node* node : nodes) hashes.push_back(node->hash);
  return hashes;
}

int32_t PrefixCache::node_count() const {
  size_t count = 0;
  for (const Table& table : tables_) count += table.by_hash.size();
  return static_cast<int32_t>(count);
}

void PrefixCache::CheckIntegrity() const {
  std::vector<int32_t> children(nodes_.size());
  for (size_t table = 0; table < tables_.size(); ++table) {
    for (const auto& [hash, index] : tables_[table].by_hash) {
      const Node& node = nodes_[Index(index)];
      BATON_CHECK(node.hash == hash && node.birth != 0 && node.table == static_cast<int32_t>(table))
          << "PrefixCache: node=" << index;
      if (node.parent == kNone) continue;
      const Node& parent = nodes_[Index(node.parent)];
      BATON_CHECK(parent.birth != 0 && parent.birth < node.birth && parent.table == node.table)
          << "PrefixCache: a child without its parent: node=" << index;
      ++children[Index(node.parent)];
    }
  }
  int32_t kept = 0;
  for (size_t index = 0; index < nodes_.size(); ++index) {
    BATON_CHECK(nodes_[index].children == children[index])
        << "PrefixCache: children of node=" << index;
    kept += static_cast<int32_t>(nodes_[index].birth != 0);
  }
  BATON_CHECK(kept == node_count()) << "PrefixCache: kept=" << kept;
}

}  // namespace baton::worker
