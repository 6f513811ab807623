#include "worker/kv/kv_tables.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "common/base/check.h"

namespace baton::worker {

KvTables::KvTables(BlockPool& pool, int32_t block_size, const KvGroups& groups)
    : pool_(pool), groups_(groups) {
  for (size_t group = 0; group < groups_.size(); ++group) {
    for (int32_t part = 0; part < groups_[group].parts; ++part) {
      tables_.emplace_back(pool, block_size);
      group_of_.push_back(group);
    }
  }
  nodes_.resize(tables_.size());
}

bool KvTables::Reserve(int32_t token_count) {
  int32_t missing = 0;
  for (const BlockTable& table : tables_) missing += table.MissingBlocks(token_count);
  if (missing > pool_.free_count()) return false;
  for (BlockTable& table : tables_) {
    BATON_CHECK(table.Reserve(token_count)) << "KvTables: missing=" << missing;
  }
  return true;
}

void KvTables::Adopt(PrefixMatch match) {
  BATON_CHECK(match.tables.size() == tables_.size()) << "KvTables: tables=" << match.tables.size();
  published_ = match.block_count;
  check_ = match.check;
  for (size_t i = 0; i < tables_.size(); ++i) {
    tables_[i].Adopt(std::move(match.tables[i].blocks), match.tables[i].first_block);
    nodes_[i] = match.tables[i].node;
  }
}

int64_t KvTables::BlocksToAdmit(const PrefixMatch& match, int32_t token_count,
                                int32_t step_tokens) const {
  int64_t blocks = 0;
  for (size_t i = 0; i < tables_.size(); ++i) {
    const PrefixMatch::Table& held = match.tables[i];
    const int32_t most =
        std::min(BlocksFor(token_count) - held.first_block,
                 TableBlocksMax(GroupOf(i), block_size(), token_count, step_tokens));
    blocks += std::max(0, most - held.blocks.size());
  }
  return blocks;
}

void KvTables::Publish(PrefixCache& cache, int32_t computed, absl::Span<const TokenId> tokens,
                       absl::Span<const BlockHash> hashes) {
  const auto size = static_cast<size_t>(block_size());
  for (; (published_ + 1) * block_size() <= computed; ++published_) {
    const auto at = static_cast<size_t>(published_);
    const absl::Span<const TokenId> block = tokens.subspan(at * size, size);
    check_ = cache.CheckOf(check_, block);
    const PublishedBlock full = {
        .index = published_, .hash = hashes[at], .check = check_, .tokens = block};
    for (size_t i = 0; i < tables_.size(); ++i) {
      nodes_[i] = cache.Publish(static_cast<int32_t>(i), nodes_[i], full, tables_[i]);
    }
  }
}

void KvTables::ReleaseUnseen(int32_t position) {
  for (size_t i = 0; i < tables_.size(); ++i) {
    tables_[i].ReleaseBefore(GroupOf(i).SeenFrom(position) / block_size());
  }
}

BlockLease KvTables::ForkFrom(const KvTables& parent, int32_t tokens) {
  const int32_t full_blocks = tokens / block_size();
  const bool partial = tokens % block_size() != 0;
  BlockLease begun;
  for (size_t i = 0; i < tables_.size(); ++i) {
    const BlockTable& from = parent.tables_[i];
    const int32_t shared = full_blocks - from.first_block();
    BATON_CHECK(shared >= 0) << "fork: first_block=" << from.first_block();
    tables_[i].Adopt(from.lease().Share(shared), from.first_block());
    if (partial) begun.Append(from.lease().ShareOne(shared));
  }
  nodes_ = parent.nodes_;
  published_ = parent.published_;
  check_ = parent.check_;
  return begun;
}

void KvTables::ContinueIn(BlockLease partial) {
  for (BlockTable& table : tables_) table.Append(partial.TakeFirst(1));
}

void KvTables::Clear() {
  int32_t end = 0;
  for (const BlockTable& table : tables_) end = std::max(end, table.end_block());
  for (; end > 0; --end) {
    for (BlockTable& table : tables_) {
      if (!table.empty() && table.end_block() == end) table.DropLast();
    }
  }
  for (BlockTable& table : tables_) table.Clear();
  std::fill(nodes_.begin(), nodes_.end(), PrefixNode());
  published_ = 0;
  check_ = 0;
}

bool KvTables::empty() const {
  return std::all_of(tables_.begin(), tables_.end(),
                     [](const BlockTable& table) { return table.empty(); });
}

}  // namespace baton::worker
