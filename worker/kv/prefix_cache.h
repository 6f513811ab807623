// Finds the blocks that already hold the beginning of a sequence.
//
//   PrefixMatch match = cache.Lookup(tokens, hashes);          // holds what it found
//   PrefixNode node = cache.Publish(match.node, hash, block_tokens, table, 3);   // when it is full
//
// A full block is known by the chained hash of everything up to its end. A node stands for one such
// prefix: it remembers its parent node and its own tokens, and both are compared on a hit, so that
// two prefixes of one hash are never taken for each other. A node keeps one block and goes by its
// id. Who fills another one with the same tokens is given the kept one for it, so that however
// often a prefix is computed, it takes the room of one.
//
// What makes it safe to announce hashes: a worker that holds block k of a chain holds 0..k-1. Who
// holds a kept block holds its ancestors and releases them later (BlockLease: last block first), so
// the pool reclaims children before parents. A node that dies with children is a CHECK
// failure.
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

namespace baton::worker {

// Where a sequence's chain of published blocks ends. Valid while a lease holds that block.
struct PrefixNode {
  static constexpr int32_t kRoot = -1;    // nothing published yet
  static constexpr int32_t kClosed = -2;  // a collision: nothing behind it can be published

  int32_t block = kRoot;  // the id of the node's block

  bool closed() const { return block == kClosed; }
  friend bool operator==(PrefixNode, PrefixNode) = default;
};

struct PrefixMatch {
  BlockLease blocks;
  PrefixNode node;
};

class PrefixCache final : public BlockKeeper {
 public:
  // REQUIRES: pool and log outlive the cache.
  PrefixCache(BlockPool& pool, int32_t block_size, KvEventLog& log);

  // Holds the longest run of kept blocks that `tokens` begins with. `hashes` are those of its full
  // blocks, in order. Never the whole of it: at least one token is left to compute.
  PrefixMatch Lookup(absl::Span<const TokenId> tokens, absl::Span<const BlockHash> hashes);

  // The length that Lookup would find, in blocks; holds nothing.
  int32_t CountMatch(absl::Span<const TokenId> tokens, absl::Span<const BlockHash> hashes) const;

  // Keeps the table's block `index`, which is completely computed, as the child of `parent`. If an
  // equal one is kept already, the table holds that one from now on and its own is given back.
  // REQUIRES: tokens.size() is the block size; the block is not kept; the table holds the parent's
  // block; no step that names the block is under way.
  PrefixNode Publish(PrefixNode parent, BlockHash hash, absl::Span<const TokenId> tokens,
                     BlockTable& table, int32_t index);

  // Every hash that is resident now, parents before children. For a snapshot: seal the log first.
  std::vector<BlockHash> Resident() const;

  int32_t node_count() const { return static_cast<int32_t>(by_hash_.size()); }

  // Checks links, counts and that every parent is resident; O(blocks). For tests and idle engines.
  void CheckIntegrity() const;

 private:
  static constexpr int32_t kNone = -1;

  struct Node {
    BlockHash hash;
    int32_t parent = kNone;
    int32_t children = 0;
    uint64_t birth = 0;  // parents are older than their children; 0: the block is not kept
  };

  void OnReclaim(BlockId block) override;

  int32_t Find(int32_t parent, BlockHash hash, absl::Span<const TokenId> tokens) const;
  template <typename Visit>
  void WalkMatch(absl::Span<const TokenId> tokens, absl::Span<const BlockHash> hashes,
                 Visit visit) const;
  void AddNode(BlockId block, int32_t parent, BlockHash hash, absl::Span<const TokenId> tokens);
  absl::Span<const TokenId> TokensOf(int32_t node) const;

  BlockPool& pool_;
  const int32_t block_size_;
  KvEventLog& log_;

  std::vector<Node> nodes_;       // by block
  std::vector<TokenId> tokens_;   // block_size_ per node
  std::vector<BlockId> matched_;  // workspace of Lookup
  absl::flat_hash_map<BlockHash, int32_t> by_hash_;
  uint64_t births_ = 0;
};

}  // namespace baton::worker
