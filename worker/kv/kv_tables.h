// The blocks of one sequence in all KV groups: a table for each part of each group, which grow
// together, and of which a window's gives back what nobody will see again.
//
//   tables.Adopt(cache.Lookup(tokens, hashes));
//   if (!tables.Reserve(computed + chunk)) Preempt();        // in all tables, or unchanged
//   tables.Publish(cache, computed, tokens, hashes);         // what is full now
//   tables.ReleaseUnseen(computed);
//
// Threading: owned by the engine thread. Ownership: holds references; pool and groups outlive it.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/kv/block_pool.h"
#include "worker/kv/block_table.h"
#include "worker/kv/kv_group.h"
#include "worker/kv/prefix_cache.h"

namespace baton::worker {

class KvTables {
 public:
  // REQUIRES: block_size > 0.
  KvTables(BlockPool& pool, int32_t block_size, const KvGroups& groups);

  // Grows to hold `token_count` tokens, or returns false and is unchanged.
  [[nodiscard]] bool Reserve(int32_t token_count);

  // Starts with what the cache has. REQUIRES: empty().
  void Adopt(PrefixMatch match);

  // How many blocks, besides those of `match`, a sequence of `token_count` tokens needs to be
  // computed in steps of `step_tokens`.
  int64_t BlocksToAdmit(const PrefixMatch& match, int32_t token_count, int32_t step_tokens) const;

  // Publishes the blocks that are full, `computed` tokens being computed; an equal one may take the
  // place of an own one. REQUIRES: no step that names them is under way.
  void Publish(PrefixCache& cache, int32_t computed, absl::Span<const TokenId> tokens,
               absl::Span<const BlockHash> hashes);

  // Gives back the blocks that neither a query at `position` nor a later one sees.
  void ReleaseUnseen(int32_t position);

  // Shares the full blocks of `parent`, all of `tokens` being computed there; returns the partial
  // one behind them, of every table, to be copied or continued. REQUIRES: empty().
  BlockLease ForkFrom(const KvTables& parent, int32_t tokens);

  // Continues with such partial blocks as its own. REQUIRES: nobody else holds them.
  void ContinueIn(BlockLease partial);

  // Gives all blocks back: in each table the last one first, and all tables' ends before their
  // beginnings.
  void Clear();

  bool empty() const;
  int32_t block_size() const { return tables_.front().block_size(); }
  // Of one table.
  int32_t BlocksFor(int32_t token_count) const { return tables_.front().BlocksFor(token_count); }
  absl::Span<const BlockTable> tables() const { return tables_; }

 private:
  const KvGroup& GroupOf(size_t table) const { return groups_[group_of_[table]]; }

  BlockPool& pool_;
  const KvGroups& groups_;
  std::vector<BlockTable> tables_;
  std::vector<size_t> group_of_;   // of each table
  std::vector<PrefixNode> nodes_;  // likewise
  int32_t published_ = 0;          // blocks
  uint64_t check_ = 0;             // of the published prefix
};

}  // namespace baton::worker
