// Finds the blocks that already hold the beginning of a sequence.
//
//   PrefixMatch match = cache.Lookup(tokens, hashes);          // holds what it found
//   tables.Adopt(std::move(match));
//
// A full block is known by the chained hash of everything up to its end. A node stands for one such
// prefix in one table of a KV group and keeps one block. Who fills another one with the same tokens
// is given the kept one for it, so that however often a prefix is computed, it takes the room of
// one.
//
// Full attention: a node remembers its parent node and its own tokens, and both are compared on a
// hit, so that two prefixes of one hash are never taken for each other. Who holds a kept block
// holds its ancestors and releases them later (last block first), so the pool reclaims children
// before parents; a node that dies with children is a CHECK failure. That makes it safe to announce
// hashes: a worker that holds block k of a chain holds 0..k-1.
//
// A window: blocks are kept without their ancestors. A node has the keyed check of its prefix
// instead of a parent (common/kv/prefix_check.h), which is compared together with the tokens.
//
// A prefix of k blocks can be used when the full groups hold all of them, and each window's group
// those that a query right behind them sees.
//
// Threading: owned by the engine thread.
// Ownership: keeps ids, never references: a kept block that nobody holds is the pool's to reclaim.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/kv/block_pool.h"
#include "worker/kv/block_table.h"
#include "worker/kv/kv_event_log.h"
#include "worker/kv/kv_group.h"

namespace baton::worker {

// Where a sequence's chain of published blocks ends, in one table. Valid while a lease holds that
// block.
struct PrefixNode {
  static constexpr int32_t kRoot = -1;    // nothing published yet
  static constexpr int32_t kClosed = -2;  // a collision: nothing behind it can be published

  int32_t block = kRoot;  // the id of the node's block

  bool closed() const { return block == kClosed; }
  friend bool operator==(PrefixNode, PrefixNode) = default;
};

// What the cache holds of a sequence, by table.
struct PrefixMatch {
  struct Table {
    int32_t first_block = 0;
    BlockLease blocks;  // up to the end of the match
    PrefixNode node;
  };

  int32_t block_count = 0;  // that need not be computed
  std::vector<Table> tables;
  uint64_t check = 0;  // of the matched prefix
};

// A full block that has been computed, behind the prefix that ends with `parent`.
struct PublishedBlock {
  int32_t index = 0;  // in its sequence
  BlockHash hash;
  uint64_t check = 0;
  absl::Span<const TokenId> tokens;  // a block's
};

class PrefixCache final : public BlockKeeper {
 public:
  // `key` of the windows' checks: best one that nobody can guess. REQUIRES: pool and log, which is
  // of the same groups, outlive the cache.
  PrefixCache(BlockPool& pool, int32_t block_size, KvEventLog& log,
              const KvGroups& groups = {KvGroup{}}, uint64_t key = 0);

  // Holds the longest prefix of `tokens` that all groups can serve. `hashes` are those of its full
  // blocks, in order. Never the whole of it: at least one token is left to compute.
  PrefixMatch Lookup(absl::Span<const TokenId> tokens, absl::Span<const BlockHash> hashes);

  // The check of the prefix that a block ends; constant where no group has a window.
  uint64_t CheckOf(uint64_t parent, absl::Span<const TokenId> block) const;

  // Keeps the table's block, which is completely computed, as the child of `parent`. If an equal
  // one is kept already, the table holds that one from now on and its own is given back.
  // REQUIRES: the block is not kept; in a full group the table holds the parent's block; no step
  // that names the block is under way.
  PrefixNode Publish(int32_t table_index, PrefixNode parent, const PublishedBlock& block,
                     BlockTable& table);

  // Every hash that is resident in all parts of a group now, parents before children. For a
  // snapshot: seal the log first.
  std::vector<BlockHash> Resident(int32_t group = 0) const;

  // Of all tables.
  int32_t node_count() const;

  // Checks links, counts and that every parent is resident; O(blocks). For tests and idle engines.
  void CheckIntegrity() const;

 private:
  static constexpr int32_t kNone = -1;

  struct Node {
    BlockHash hash;
    uint64_t check = 0;
    int32_t table = 0;
    int32_t parent = kNone;  // in full groups
    int32_t children = 0;    // likewise
    uint64_t birth = 0;      // parents are older than their children; 0: the block is not kept
  };

  struct Table {
    KvGroup group;
    int32_t group_index = 0;
    absl::flat_hash_map<BlockHash, int32_t> by_hash;
    std::vector<int32_t> matched;  // workspace of Lookup: nodes by block, kNone, kUnknown
  };

  void OnReclaim(BlockId block) override;

  int32_t FindChild(const Table& table, int32_t parent, BlockHash hash,
                    absl::Span<const TokenId> tokens) const;
  int32_t FindChecked(const Table& table, uint64_t check, BlockHash hash,
                      absl::Span<const TokenId> tokens) const;
  int32_t MatchFull(Table& table, absl::Span<const TokenId> tokens,
                    absl::Span<const BlockHash> hashes, int32_t most);
  int32_t MatchWindows(absl::Span<const TokenId> tokens, absl::Span<const BlockHash> hashes,
                       int32_t most);
  bool HasInWindow(Table& table, absl::Span<const TokenId> tokens,
                   absl::Span<const BlockHash> hashes, int32_t block);
  int32_t FirstSeenBlock(const Table& table, int32_t block_count) const;
  PrefixMatch Hold(int32_t block_count);
  void AddNode(int32_t table_index, BlockId block, int32_t parent, const PublishedBlock& published);
  absl::Span<const TokenId> TokensOf(int32_t node) const;
  absl::Span<const TokenId> BlockOf(absl::Span<const TokenId> tokens, int32_t block) const;

  BlockPool& pool_;
  const int32_t block_size_;
  const uint64_t key_;
  KvEventLog& log_;
  bool has_windows_ = false;

  std::vector<Table> tables_;
  std::vector<Node> nodes_;       // by block
  std::vector<TokenId> tokens_;   // block_size_ per node
  std::vector<uint64_t> checks_;  // workspace of Lookup: of each block
  std::vector<BlockId> holding_;  // workspace of Lookup
  uint64_t births_ = 0;
};

}  // namespace baton::worker
