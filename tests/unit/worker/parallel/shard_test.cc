#include "worker/parallel/shard.h"

#include <gtest/gtest.h>

namespace baton::worker {
namespace {

TEST(Shard, EvenSlicesCoverTheWholeInOrder) {
  for (const int size : {1, 2, 3, 6}) {
    int64_t at = 0;
    for (int rank = 0; rank < size; ++rank) {
      const Range range = Shard{rank, size}.SliceOf(12);
      EXPECT_EQ(range.begin, at);
      at = range.end();
    }
    EXPECT_EQ(at, 12);
  }
}

TEST(Shard, ChunksCoverAnyTotalInOrder) {
  for (const int64_t total : {0, 1, 5, 7, 100}) {
    int64_t at = 0;
    for (int rank = 0; rank < 3; ++rank) {
      const Shard shard{rank, 3};
      const Range range = shard.ChunkOf(total);
      EXPECT_EQ(range.begin, at);
      EXPECT_LE(range.count, shard.ChunkSizeOf(total));
      at = range.end();
    }
    EXPECT_EQ(at, total);
  }
}

TEST(ShardDeathTest, WhatDoesNotDivideIsOurBug) {
  EXPECT_DEATH((Shard{0, 2}.SliceOf(3)), "total=3");
}

}  // namespace
}  // namespace baton::worker
