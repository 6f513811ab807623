#include "worker/kv/kv_event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(KvEventLog, SealsInOrderAndCountsUp) {
  KvEventLog log;
  EXPECT_FALSE(log.Seal().has_value());
  EXPECT_EQ(log.head_seq(), 0u);
  log.Stored(0, BlockHash(1));
  log.Stored(0, BlockHash(2));
  const std::optional<KvEventBatch> first = log.Seal();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->seq, 1u);
  EXPECT_THAT(first->groups[0].stored, ElementsAre(BlockHash(1), BlockHash(2)));
  log.Removed(0, BlockHash(2));
  log.Removed(0, BlockHash(1));
  const std::optional<KvEventBatch> second = log.Seal();
  EXPECT_EQ(second->seq, 2u);
  EXPECT_THAT(second->groups[0].removed, ElementsAre(BlockHash(2), BlockHash(1)));
  EXPECT_EQ(log.head_seq(), 2u);
}

TEST(KvEventLog, KeepsNetChangesOnly) {
  KvEventLog log;
  log.Stored(0, BlockHash(1));
  log.Removed(0, BlockHash(1));
  EXPECT_FALSE(log.Seal().has_value()) << "came and went";
  log.Stored(0, BlockHash(7));
  log.Seal();
  log.Removed(0, BlockHash(7));
  log.Stored(0, BlockHash(7));
  log.Stored(0, BlockHash(8));
  const std::optional<KvEventBatch> batch = log.Seal();
  EXPECT_THAT(batch->groups[0].stored, ElementsAre(BlockHash(8)));
  EXPECT_THAT(batch->groups[0].removed, IsEmpty());
}

TEST(KvEventLog, AThreefoldChangeIsOne) {
  KvEventLog log;
  log.Stored(0, BlockHash(1));
  log.Removed(0, BlockHash(1));
  log.Stored(0, BlockHash(1));
  EXPECT_THAT(log.Seal()->groups[0].stored, ElementsAre(BlockHash(1)));
}

TEST(KvEventLog, GroupsAreApartUnderOneNumber) {
  KvEventLog log({{.window = 0}, {.window = 8}});
  log.Stored(0, BlockHash(1));
  log.Stored(1, BlockHash(1));
  log.Stored(1, BlockHash(2));
  const std::optional<KvEventBatch> batch = log.Seal();
  ASSERT_EQ(batch->groups.size(), 2u);
  EXPECT_EQ(batch->seq, 1u);
  EXPECT_THAT(batch->groups[0].stored, ElementsAre(BlockHash(1)));
  EXPECT_THAT(batch->groups[1].stored, ElementsAre(BlockHash(1), BlockHash(2)));
  log.Removed(1, BlockHash(1));
  const std::optional<KvEventBatch> next = log.Seal();
  EXPECT_THAT(next->groups[0].removed, IsEmpty());
  EXPECT_THAT(next->groups[1].removed, ElementsAre(BlockHash(1)));
}

TEST(KvEventLog, AGroupHoldsWhatAllOfItsPartsHold) {
  KvEventLog log({{.window = 8, .parts = 3}});
  log.Stored(0, BlockHash(1));
  log.Stored(0, BlockHash(1));
  EXPECT_FALSE(log.Seal().has_value());
  log.Stored(0, BlockHash(1));
  EXPECT_THAT(log.Seal()->groups[0].stored, ElementsAre(BlockHash(1)));
  log.Removed(0, BlockHash(1));
  EXPECT_THAT(log.Seal()->groups[0].removed, ElementsAre(BlockHash(1)));
  log.Stored(0, BlockHash(1));  // comes back before the others have gone
  EXPECT_THAT(log.Seal()->groups[0].stored, ElementsAre(BlockHash(1)));
  for (int part = 0; part < 3; ++part) log.Removed(0, BlockHash(1));
  EXPECT_THAT(log.Seal()->groups[0].removed, ElementsAre(BlockHash(1)));
}

}  // namespace
}  // namespace baton::worker
