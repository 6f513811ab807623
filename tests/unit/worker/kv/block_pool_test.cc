#include "worker/kv/block_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "worker/kv/block_table.h"

namespace baton::worker {
namespace {

using ::testing::ElementsAre;

class RecordingKeeper final : public BlockKeeper {
 public:
  void OnReclaim(BlockId block) override { reclaimed.push_back(block.value()); }
  std::vector<int> reclaimed;
};

TEST(BlockPool, AcquireIsAllOrNothing) {
  BlockPool pool(4);
  std::optional<BlockLease> three = pool.Acquire(3);
  ASSERT_TRUE(three.has_value());
  EXPECT_FALSE(pool.Acquire(2).has_value());
  EXPECT_EQ(pool.free_count(), 1);
  EXPECT_TRUE(pool.Acquire(1).has_value());
  EXPECT_EQ(pool.free_count(), 1) << "the temporary lease gave it back";
  pool.CheckIntegrity();
}

TEST(BlockPool, SharedBlocksStayUntilTheLastLease) {
  BlockPool pool(4);
  std::optional<BlockLease> lease = pool.Acquire(3);
  BlockLease shared = lease->Share(2);
  lease.reset();
  EXPECT_EQ(pool.held_count(), 2);
  BlockLease one = shared.ShareOne(1);
  shared.Reset();
  EXPECT_EQ(pool.held_count(), 1);
  one.Reset();
  EXPECT_EQ(pool.free_count(), 4);
  pool.CheckIntegrity();
}

TEST(BlockPool, ReclaimsEmptyBlocksFirstThenTheLongestIdleAndEndsBeforeBeginnings) {
  BlockPool pool(6);
  RecordingKeeper keeper;
  std::optional<BlockLease> old = pool.Acquire(2);
  std::optional<BlockLease> recent = pool.Acquire(2);
  for (BlockId id : old->ids()) pool.Keep(id, keeper);
  for (BlockId id : recent->ids()) pool.Keep(id, keeper);
  old.reset();
  recent.reset();
  std::optional<BlockLease> empty = pool.Acquire(2);
  EXPECT_THAT(keeper.reclaimed, ElementsAre());
  std::optional<BlockLease> all = pool.Acquire(4);
  EXPECT_THAT(keeper.reclaimed, ElementsAre(1, 0, 3, 2));
}

TEST(BlockPool, ALeaseExchangesOneBlockForAnother) {
  BlockPool pool(4);
  RecordingKeeper keeper;
  std::optional<BlockLease> lease = pool.Acquire(2);
  std::optional<BlockLease> other = pool.Acquire(1);
  const BlockId kept = other->ids()[0], own = lease->ids()[1];
  pool.Keep(kept, keeper);
  other.reset();
  lease->Exchange(1, kept);
  EXPECT_EQ(lease->ids()[1], kept);
  EXPECT_EQ(pool.reference_count(kept), 1);
  EXPECT_EQ(pool.reference_count(own), 0);
  std::optional<BlockLease> next = pool.Acquire(1);
  EXPECT_EQ(next->ids()[0], own) << "nothing is lost with it: it goes first";
  EXPECT_TRUE(keeper.reclaimed.empty());
  pool.CheckIntegrity();
}

TEST(BlockPool, AHeldKeptBlockLeavesTheQueue) {
  BlockPool pool(2);
  RecordingKeeper keeper;
  std::optional<BlockLease> lease = pool.Acquire(1);
  const BlockId kept = lease->ids()[0];
  pool.Keep(kept, keeper);
  lease.reset();
  EXPECT_EQ(pool.free_count(), 2);
  BlockLease again = pool.Hold({&kept, 1});
  EXPECT_FALSE(pool.Acquire(2).has_value());
  EXPECT_TRUE(keeper.reclaimed.empty());
  pool.CheckIntegrity();
}

TEST(BlockPoolDeath, HoldingAnEmptyBlockOrLeakingALeaseIsOurBug) {
  EXPECT_DEATH(
      {
        BlockPool pool(2);
        const BlockId block(1);
        pool.Hold({&block, 1});
      },
      "empty block");
  EXPECT_DEATH(
      {
        std::optional<BlockLease> lease;
        BlockPool pool(2);
        lease = pool.Acquire(1);
      },
      "held=1");
}

// Random leases, shares and releases at 90-100 % use: ids are conserved after each step.
TEST(BlockPool, ConservesBlocksWhenNearlyFull) {
  std::mt19937 random(1);
  BlockPool pool(50);
  RecordingKeeper keeper;
  std::vector<BlockLease> leases;
  for (int step = 0; step < 20000; ++step) {
    const bool full = pool.held_count() >= 45;
    if (!full || random() % 4 == 0) {
      if (std::optional<BlockLease> lease = pool.Acquire(static_cast<int32_t>(random() % 6))) {
        for (BlockId id : lease->ids()) {
          if (random() % 2 == 0) pool.Keep(id, keeper);
        }
        leases.push_back(*std::move(lease));
      }
    } else if (random() % 3 == 0) {
      const BlockLease& lease = leases[random() % leases.size()];
      leases.push_back(lease.Share(lease.size() / 2));
    } else {
      std::swap(leases[random() % leases.size()], leases.back());
      leases.pop_back();
    }
    if (step % 16 == 0) pool.CheckIntegrity();
  }
  leases.clear();
  EXPECT_EQ(pool.free_count(), 50);
  pool.CheckIntegrity();
}

TEST(BlockTable, GrowsByWholeBlocks) {
  BlockPool pool(3);
  BlockTable table(pool, 16);
  EXPECT_TRUE(table.Reserve(1));
  EXPECT_EQ(table.ids().size(), 1u);
  EXPECT_TRUE(table.Reserve(16));
  EXPECT_EQ(table.ids().size(), 1u);
  EXPECT_TRUE(table.Reserve(17));
  EXPECT_EQ(table.MissingBlocks(64), 2);
  EXPECT_FALSE(table.Reserve(64)) << "four blocks are more than there are";
  EXPECT_EQ(table.ids().size(), 2u) << "unchanged";
  table.Clear();
  EXPECT_EQ(pool.free_count(), 3);
}

}  // namespace
}  // namespace baton::worker
