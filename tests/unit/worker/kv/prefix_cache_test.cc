#include "worker/kv/prefix_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <vector>

#include "common/kv/block_hash.h"
#include "worker/kv/block_table.h"

namespace baton::worker {
namespace {

constexpr int32_t kBlockSize = 4;

// A sequence as the engine drives it: look up, reserve, publish as blocks fill, release.
struct Fixture {
  explicit Fixture(int32_t block_count) : pool(block_count), cache(pool, kBlockSize, log) {}

  static std::vector<BlockHash> Hashes(const std::vector<TokenId>& tokens) {
    return HashBlocks(BlockHash(1), tokens, kBlockSize);
  }

  // Runs the whole of `tokens` through the cache; null if there is no room. `matched` reports how
  // many blocks were found.
  std::unique_ptr<BlockTable> Run(const std::vector<TokenId>& tokens, int32_t* matched = nullptr) {
    const std::vector<BlockHash> hashes = Hashes(tokens);
    PrefixMatch match = cache.Lookup(tokens, hashes);
    const int32_t found = match.blocks.size();
    if (matched != nullptr) *matched = found;
    auto table = std::make_unique<BlockTable>(pool, kBlockSize);
    table->Adopt(std::move(match.blocks));
    if (!table->Reserve(static_cast<int32_t>(tokens.size()))) return nullptr;
    PrefixNode node = match.node;
    for (size_t block = static_cast<size_t>(found); block < hashes.size(); ++block) {
      node = cache.Publish(node, hashes[block],
                           absl::MakeConstSpan(tokens).subspan(block * kBlockSize, kBlockSize),
                           *table, static_cast<int32_t>(block));
    }
    return table;
  }

  KvEventLog log;
  BlockPool pool;
  PrefixCache cache;
};

std::vector<TokenId> Count(TokenId first, size_t count) {
  std::vector<TokenId> tokens(count);
  for (size_t i = 0; i < count; ++i) tokens[i] = first + static_cast<TokenId>(i);
  return tokens;
}

TEST(PrefixCache, FindsFullBlocksAndLeavesAtLeastOneToken) {
  Fixture f(16);
  f.Run(Count(0, 10));
  int32_t matched = 0;
  f.Run(Count(0, 10), &matched);
  EXPECT_EQ(matched, 2);
  f.Run(Count(0, 8), &matched);
  EXPECT_EQ(matched, 1) << "the last block would be the whole prompt";
  f.Run(Count(0, 9), &matched);
  EXPECT_EQ(matched, 2);
  f.Run(Count(1, 10), &matched);
  EXPECT_EQ(matched, 0);
}

TEST(PrefixCache, ACollisionIsNeverAHit) {
  Fixture f(16);
  const std::vector<TokenId> a = Count(0, 12), b = Count(50, 12);
  const std::vector<BlockHash> hashes = Fixture::Hashes(a);
  std::unique_ptr<BlockTable> table = f.Run(a);
  EXPECT_EQ(f.cache.Lookup(b, hashes).blocks.size(), 0) << "same hashes, other tokens";
  // The other prefix cannot be published under a hash that is taken, nor anything behind it.
  BlockTable other(f.pool, kBlockSize);
  ASSERT_TRUE(other.Reserve(8));
  const absl::Span<const TokenId> tokens = absl::MakeConstSpan(b);
  PrefixNode node = f.cache.Publish({}, hashes[0], tokens.subspan(0, kBlockSize), other, 0);
  EXPECT_TRUE(node.closed());
  node = f.cache.Publish(node, BlockHash(777), tokens.subspan(4, kBlockSize), other, 1);
  EXPECT_TRUE(node.closed());
  EXPECT_EQ(f.cache.node_count(), 3);
  f.cache.CheckIntegrity();
}

TEST(PrefixCache, EqualBlocksOfTwoSequencesBecomeOne) {
  Fixture f(8);
  const std::vector<TokenId> tokens = Count(0, 9);
  const std::vector<BlockHash> hashes = Fixture::Hashes(tokens);
  std::vector<BlockTable> tables;
  for (int copy = 0; copy < 2; ++copy) {  // both reserve before either publishes
    ASSERT_TRUE(tables.emplace_back(f.pool, kBlockSize).Reserve(9));
  }
  const BlockId own = tables[1].ids()[0];
  for (BlockTable& table : tables) {
    PrefixNode node;
    for (int32_t block = 0; block < 2; ++block) {
      node = f.cache.Publish(node, hashes[static_cast<size_t>(block)],
                             absl::MakeConstSpan(tokens).subspan(static_cast<size_t>(block) * 4, 4),
                             table, block);
    }
  }
  EXPECT_NE(tables[0].ids()[2], tables[1].ids()[2]) << "partial blocks stay everybody's own";
  for (size_t block : {0, 1}) EXPECT_EQ(tables[0].ids()[block], tables[1].ids()[block]);
  EXPECT_EQ(f.pool.reference_count(own), 0);
  EXPECT_EQ(f.pool.held_count(), 4);
  EXPECT_EQ(f.cache.node_count(), 2);
  EXPECT_EQ(f.log.Seal()->stored.size(), 2u);
  f.cache.CheckIntegrity();
  tables[0].Clear();
  std::optional<BlockLease> rest = f.pool.Acquire(5);
  ASSERT_TRUE(rest.has_value()) << "what was replaced is empty now";
  EXPECT_FALSE(f.log.Seal().has_value()) << "the held blocks are still there";
  EXPECT_EQ(f.cache.Lookup(tokens, hashes).blocks.size(), 2);
}

// A prompt of whole blocks computes its last one again each time; that must not cost a block each.
TEST(PrefixCache, RepeatsOfOnePromptEvictNobody) {
  Fixture f(32);
  f.Run(Count(100, 41));  // somebody's prefix, idle from now on
  for (int repeat = 0; repeat < 100; ++repeat) f.Run(Count(0, 16));
  EXPECT_EQ(f.cache.node_count(), 10 + 4);
  f.pool.CheckIntegrity();
  f.cache.CheckIntegrity();
  int32_t matched = 0;
  f.Run(Count(100, 41), &matched);
  EXPECT_EQ(matched, 10);
}

TEST(PrefixCache, AnIdleBlockThatReplacesAnEqualOneLeavesTheQueue) {
  Fixture f(4);
  f.Run(Count(0, 8));
  std::unique_ptr<BlockTable> table = f.Run(Count(0, 8));
  EXPECT_EQ(f.pool.held_count(), 2);
  EXPECT_FALSE(f.pool.Acquire(3).has_value());
  std::optional<BlockLease> rest = f.pool.Acquire(2);
  EXPECT_EQ(f.cache.node_count(), 2) << "the table holds both";
  table.reset();
  f.pool.CheckIntegrity();
  std::optional<BlockLease> last = f.pool.Acquire(2);
  EXPECT_EQ(f.cache.node_count(), 0);
}

// What a router does with the batches.
void Apply(const KvEventBatch& batch, std::set<BlockHash>& mirror) {
  for (BlockHash hash : batch.stored) EXPECT_TRUE(mirror.insert(hash).second);
  for (BlockHash hash : batch.removed) EXPECT_EQ(mirror.erase(hash), 1u);
}

// Random prompts over a small tree, run and released at 90-100 % use.
TEST(PrefixCache, StaysPrefixClosedAndMirroredWhenNearlyFull) {
  std::mt19937 random(2);
  Fixture f(40);
  std::vector<std::unique_ptr<BlockTable>> running;
  std::set<BlockHash> mirror;
  uint64_t last_seq = 0;
  int64_t hits = 0;
  for (int step = 0; step < 20000; ++step) {
    std::vector<TokenId> tokens;
    const size_t length = 1 + random() % 30;
    while (tokens.size() < length) tokens.push_back(static_cast<TokenId>(random() % 2));
    int32_t matched = 0;
    if (auto table = f.Run(tokens, &matched)) {
      running.push_back(std::move(table));
      hits += matched;
    }
    while (!running.empty() && (f.pool.held_count() > 38 || random() % 8 == 0)) {
      std::swap(running[random() % running.size()], running.back());
      running.pop_back();
    }
    if (const std::optional<KvEventBatch> batch = f.log.Seal()) {
      EXPECT_EQ(batch->seq, ++last_seq);
      Apply(*batch, mirror);
    }
    if (step % 8 != 0) continue;
    f.pool.CheckIntegrity();
    f.cache.CheckIntegrity();  // checks that every parent is resident
    const std::vector<BlockHash> resident = f.cache.Resident();
    EXPECT_EQ(std::set<BlockHash>(resident.begin(), resident.end()), mirror);
  }
  EXPECT_GT(hits, 1000);
  running.clear();
  EXPECT_EQ(f.pool.free_count(), 40);
}

TEST(PrefixCache, ResidentListsParentsFirst) {
  Fixture f(64);
  std::vector<std::unique_ptr<BlockTable>> tables;
  for (TokenId first = 0; first < 5; ++first) tables.push_back(f.Run(Count(first, 33)));
  const std::vector<BlockHash> resident = f.cache.Resident();
  ASSERT_EQ(resident.size(), 40u);
  std::set<BlockHash> seen;
  for (BlockHash hash : resident) {
    for (TokenId first = 0; first < 5; ++first) {
      const std::vector<BlockHash> chain = Fixture::Hashes(Count(first, 33));
      const auto at = std::find(chain.begin(), chain.end(), hash);
      if (at == chain.end() || at == chain.begin()) continue;
      EXPECT_TRUE(seen.contains(*(at - 1)));
    }
    seen.insert(hash);
  }
}

}  // namespace
}  // namespace baton::worker
