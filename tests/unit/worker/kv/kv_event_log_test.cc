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
  log.Stored(BlockHash(1));
  log.Stored(BlockHash(2));
  const std::optional<KvEventBatch> first = log.Seal();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->seq, 1u);
  EXPECT_THAT(first->stored, ElementsAre(BlockHash(1), BlockHash(2)));
  log.Removed(BlockHash(2));
  log.Removed(BlockHash(1));
  const std::optional<KvEventBatch> second = log.Seal();
  EXPECT_EQ(second->seq, 2u);
  EXPECT_THAT(second->removed, ElementsAre(BlockHash(2), BlockHash(1)));
  EXPECT_EQ(log.head_seq(), 2u);
}

TEST(KvEventLog, KeepsNetChangesOnly) {
  KvEventLog log;
  log.Stored(BlockHash(1));
  log.Removed(BlockHash(1));
  EXPECT_FALSE(log.Seal().has_value()) << "came and went";
  log.Stored(BlockHash(7));
  log.Seal();
  log.Removed(BlockHash(7));
  log.Stored(BlockHash(7));
  log.Stored(BlockHash(8));
  const std::optional<KvEventBatch> batch = log.Seal();
  EXPECT_THAT(batch->stored, ElementsAre(BlockHash(8)));
  EXPECT_THAT(batch->removed, IsEmpty());
}

TEST(KvEventLog, AThreefoldChangeIsOne) {
  KvEventLog log;
  log.Stored(BlockHash(1));
  log.Removed(BlockHash(1));
  log.Stored(BlockHash(1));
  EXPECT_THAT(log.Seal()->stored, ElementsAre(BlockHash(1)));
}

}  // namespace
}  // namespace baton::worker
