#include "worker/kv/prefix_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <vector>

#include "common/kv/block_hash.h"
#include "worker/kv/kv_tables.h"

namespace baton::worker {
namespace {

constexpr int32_t kBlockSize = 4;

// Sequences as the engine drives them: look up, reserve, publish as blocks fill, release.
struct Fixture {
  explicit Fixture(int32_t block_count, KvGroups groups_in = {KvGroup{}})
      : groups(std::move(groups_in)),
        log(groups),
        pool(block_count),
        cache(pool, kBlockSize, log, groups, /*key=*/12345) {}

  static std::vector<BlockHash> Hashes(const std::vector<TokenId>& tokens) {
    return HashBlocks(BlockHash(1), tokens, kBlockSize);
  }

  KvTables NewTables() { return KvTables(pool, kBlockSize, groups); }

  // Runs the whole of `tokens` through the cache, in steps; null if there is no room. `matched`
  // reports how many blocks were found.
  std::unique_ptr<KvTables> Run(const std::vector<TokenId>& tokens, int32_t* matched = nullptr,
                                int32_t step = 1000) {
    const std::vector<BlockHash> hashes = Hashes(tokens);
    PrefixMatch match = cache.Lookup(tokens, hashes);
    if (matched != nullptr) *matched = match.block_count;
    auto tables = std::make_unique<KvTables>(NewTables());
    int32_t computed = match.block_count * kBlockSize;
    tables->Adopt(std::move(match));
    const auto size = static_cast<int32_t>(tokens.size());
    while (computed < size) {
      computed = std::min(size, computed + step);
      if (!tables->Reserve(computed)) return nullptr;
      tables->Publish(cache, computed, tokens, hashes);
      tables->ReleaseUnseen(computed);
    }
    return tables;
  }

  int32_t MatchOf(const std::vector<TokenId>& tokens) {
    return cache.Lookup(tokens, Hashes(tokens)).block_count;
  }

  const KvGroups groups;
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
  std::unique_ptr<KvTables> tables = f.Run(a);
  EXPECT_EQ(f.cache.Lookup(b, hashes).block_count, 0) << "same hashes, other tokens";
  // The other prefix cannot be published under a hash that is taken, nor anything behind it.
  KvTables other = f.NewTables();
  ASSERT_TRUE(other.Reserve(8));
  other.Publish(f.cache, 8, b, {hashes[0], BlockHash(777)});
  EXPECT_EQ(f.cache.node_count(), 3);
  f.cache.CheckIntegrity();
}

TEST(PrefixCache, EqualBlocksOfTwoSequencesBecomeOne) {
  Fixture f(8);
  const std::vector<TokenId> tokens = Count(0, 9);
  const std::vector<BlockHash> hashes = Fixture::Hashes(tokens);
  std::vector<KvTables> sequences;
  for (int copy = 0; copy < 2; ++copy) {  // both reserve before either publishes
    sequences.push_back(f.NewTables());
    ASSERT_TRUE(sequences.back().Reserve(9));
  }
  const BlockTable& first = sequences[0].tables()[0];
  const BlockTable& second = sequences[1].tables()[0];
  const BlockId own = second.ids()[0];
  for (KvTables& sequence : sequences) sequence.Publish(f.cache, 9, tokens, hashes);
  EXPECT_NE(first.ids()[2], second.ids()[2]) << "partial blocks stay everybody's own";
  for (size_t block : {0, 1}) EXPECT_EQ(first.ids()[block], second.ids()[block]);
  EXPECT_EQ(f.pool.reference_count(own), 0);
  EXPECT_EQ(f.pool.held_count(), 4);
  EXPECT_EQ(f.cache.node_count(), 2);
  EXPECT_EQ(f.log.Seal()->groups[0].stored.size(), 2u);
  f.cache.CheckIntegrity();
  sequences[0].Clear();
  std::optional<BlockLease> rest = f.pool.Acquire(5);
  ASSERT_TRUE(rest.has_value()) << "what was replaced is empty now";
  EXPECT_FALSE(f.log.Seal().has_value()) << "the held blocks are still there";
  EXPECT_EQ(f.MatchOf(tokens), 2);
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
  std::unique_ptr<KvTables> table = f.Run(Count(0, 8));
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
void Apply(const KvChanges& changes, std::set<BlockHash>& mirror) {
  for (BlockHash hash : changes.stored) EXPECT_TRUE(mirror.insert(hash).second);
  for (BlockHash hash : changes.removed) EXPECT_EQ(mirror.erase(hash), 1u);
}

class NearlyFullCache : public ::testing::TestWithParam<KvGroups> {};

// Random prompts over a small tree, run and released at 90-100 % use.
TEST_P(NearlyFullCache, StaysMirroredAndPrefixClosed) {
  std::mt19937 random(2);
  Fixture f(40, GetParam());
  std::vector<std::unique_ptr<KvTables>> running;
  std::vector<std::set<BlockHash>> mirrors(f.groups.size());
  uint64_t last_seq = 0;
  int64_t hits = 0;
  for (int step = 0; step < 20000; ++step) {
    std::vector<TokenId> tokens;
    const size_t length = 1 + random() % 30;
    while (tokens.size() < length) tokens.push_back(static_cast<TokenId>(random() % 2));
    int32_t matched = 0;
    if (auto tables = f.Run(tokens, &matched, 1 + static_cast<int32_t>(random() % 12))) {
      running.push_back(std::move(tables));
      hits += matched;
    }
    while (!running.empty() && (f.pool.held_count() > 38 || random() % 8 == 0)) {
      std::swap(running[random() % running.size()], running.back());
      running.pop_back();
    }
    if (const std::optional<KvEventBatch> batch = f.log.Seal()) {
      EXPECT_EQ(batch->seq, ++last_seq);
      for (size_t group = 0; group < mirrors.size(); ++group) {
        Apply(batch->groups[group], mirrors[group]);
      }
    }
    if (step % 8 != 0) continue;
    f.pool.CheckIntegrity();
    f.cache.CheckIntegrity();  // checks that every parent of a full group is resident
    for (size_t group = 0; group < mirrors.size(); ++group) {
      const auto resident = f.cache.Resident(static_cast<int32_t>(group));
      EXPECT_EQ(std::set<BlockHash>(resident.begin(), resident.end()), mirrors[group]);
    }
  }
  EXPECT_GT(hits, 200);
  running.clear();
  EXPECT_EQ(f.pool.free_count(), 40);
}

INSTANTIATE_TEST_SUITE_P(
    Groups, NearlyFullCache,
    ::testing::Values(KvGroups{{.window = 0}}, KvGroups{{.window = 6}},
                      KvGroups{{.window = 0}, {.window = 6}},
                      KvGroups{{.window = 0}, {.window = 9, .parts = 2}, {.window = 3}}));

TEST(PrefixCache, ResidentListsParentsFirst) {
  Fixture f(64);
  std::vector<std::unique_ptr<KvTables>> tables;
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

// ---- windows ----

TEST(WindowedCache, GivesBackWhatIsBehindTheWindow) {
  Fixture f(6, {{.window = 6}});
  // Positions 35 to 40 are seen from 40: blocks 8 and 9 are held, and nothing else.
  std::unique_ptr<KvTables> tables = f.Run(Count(0, 40), nullptr, 4);
  ASSERT_NE(tables, nullptr) << "ten blocks of tokens in a cache of six";
  const BlockTable& table = tables->tables()[0];
  EXPECT_EQ(table.first_block(), 8);
  EXPECT_EQ(table.end_block(), 10);
  EXPECT_EQ(f.pool.held_count(), 2);
  std::vector<BlockId> blocks;
  table.AppendTo(10, blocks);
  ASSERT_EQ(blocks.size(), 10u);
  EXPECT_EQ(blocks[7], kNoBlock);
  EXPECT_EQ(blocks[8], table.At(8));
}

TEST(WindowedCache, AHitNeedsTheLastBlocksOnly) {
  Fixture f(6, {{.window = 6}});
  f.Run(Count(0, 40), nullptr, 4);
  // Of ten blocks the last six are still kept; the first four were evicted.
  EXPECT_EQ(f.cache.node_count(), 6);
  EXPECT_EQ(f.MatchOf(Count(0, 41)), 10);
  EXPECT_EQ(f.MatchOf(Count(0, 33)), 8) << "blocks 6 and 7 are seen from 32";
  EXPECT_EQ(f.MatchOf(Count(0, 23)), 0) << "block 3, seen from 20, is gone, and 5 ends need it";
  EXPECT_EQ(f.MatchOf(Count(0, 25)), 6);
  PrefixMatch match = f.cache.Lookup(Count(0, 41), Fixture::Hashes(Count(0, 41)));
  EXPECT_EQ(match.tables[0].first_block, 8);
  EXPECT_EQ(match.tables[0].blocks.size(), 2);
}

TEST(WindowedCache, TheLastBlocksOfAnotherPrefixAreNoHit) {
  Fixture f(32, {{.window = 6}});
  f.Run(Count(0, 40));
  std::vector<TokenId> tokens = Count(0, 41);
  tokens[0] = 99;  // long out of sight
  EXPECT_EQ(f.MatchOf(tokens), 0);
  // Nor under the same hashes: the check of the whole prefix differs.
  EXPECT_EQ(f.cache.Lookup(tokens, Fixture::Hashes(Count(0, 41))).block_count, 0);
}

TEST(WindowedCache, AHitIsTheLongestThatAllGroupsServe) {
  Fixture f(64, {{.window = 0}, {.window = 6}});
  f.Run(Count(0, 40));
  // Four blocks besides the empty ones: the window's, from 7 down to 4, were idle the longest.
  std::optional<BlockLease> taken = f.pool.Acquire(64 - 20 + 4);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(f.cache.Resident(0).size(), 10u);
  EXPECT_EQ(f.cache.Resident(1).size(), 6u);
  std::vector<TokenId> other = Count(0, 20);  // five common blocks, then something else
  other.resize(30, 7);
  EXPECT_EQ(f.MatchOf(other), 4) << "from 20 the window sees block 4, from 16 blocks 2 and 3";
  EXPECT_EQ(f.MatchOf(Count(0, 41)), 10);
}

TEST(WindowedCache, ForksShareWhatIsSeen) {
  Fixture f(32, {{.window = 0}, {.window = 5, .parts = 2}});
  std::unique_ptr<KvTables> parent = f.Run(Count(0, 30), nullptr, 4);
  const int32_t held = f.pool.held_count();
  KvTables fork = f.NewTables();
  BlockLease partial = fork.ForkFrom(*parent, 30);
  EXPECT_EQ(partial.size(), 3) << "of each table";
  EXPECT_EQ(f.pool.held_count(), held);
  EXPECT_EQ(fork.tables()[1].first_block(), parent->tables()[1].first_block());
  parent.reset();
  for (BlockId block : partial.ids()) EXPECT_TRUE(f.pool.exclusive(block));
  fork.ContinueIn(std::move(partial));
  EXPECT_TRUE(fork.Reserve(32));
  fork.Clear();
  EXPECT_EQ(f.pool.held_count(), 0);
  f.pool.CheckIntegrity();
}

TEST(KvGroups, BlocksOfTheLongestSequence) {
  EXPECT_EQ(TableBlocksMax({.window = 0}, 64, 1000, 512), 16);
  EXPECT_EQ(TableBlocksMax({.window = 128}, 64, 100000, 512), 11) << "639 tokens, anywhere";
  EXPECT_EQ(TableBlocksMax({.window = 128}, 64, 200, 512), 4) << "no more than there are";
  EXPECT_EQ(TableBlocksMax({.window = 1}, 16, 1000, 1), 1);
  EXPECT_EQ(BlocksMax(KvGroups{{.window = 0}, {.window = 128, .parts = 3}}, 64, 6400, 512),
            100 + 3 * 11);
}

}  // namespace
}  // namespace baton::worker
