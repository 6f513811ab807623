#include "worker/kv_storage/kv_storage.h"

#include <cstring>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton::worker {
namespace {

const KvLayout kLayout{.dtype = DType::kBf16, .block_tokens = 16, .kv_heads = 3, .head_dim = 8};

TEST(KvStorageTest, BlocksOfAllLayersAreApart) {
  absl::StatusOr<KvStorage> storage = KvStorage::Create(kLayout, 3, 5);
  ASSERT_TRUE(storage.ok());
  EXPECT_EQ(storage->block_bytes(), 3 * kLayout.block_bytes());
  for (int layer = 0; layer < 3; ++layer) {
    for (int block = 0; block < 5; ++block) {
      const absl::Span<std::byte> bytes = storage->BlockBytes(layer, BlockId(block));
      EXPECT_EQ(bytes.size(), kLayout.block_bytes());
      EXPECT_EQ(bytes.data(), storage->Layer(layer).Block(BlockId(block)));
      std::memset(bytes.data(), 1 + layer * 5 + block, bytes.size());
    }
  }
  for (int layer = 0; layer < 3; ++layer) {
    for (int block = 0; block < 5; ++block) {
      EXPECT_THAT(storage->BlockBytes(layer, BlockId(block)),
                  testing::Each(static_cast<std::byte>(1 + layer * 5 + block)));
    }
  }
}

TEST(KvStorageTest, TheLayersOfABlockAreNeighbours) {
  absl::StatusOr<KvStorage> storage = KvStorage::Create(kLayout, 3, 5);
  ASSERT_TRUE(storage.ok());
  for (int block = 0; block < 5; ++block) {
    const absl::Span<std::byte> whole = storage->BlockBytes(BlockId(block));
    EXPECT_EQ(whole.size(), storage->block_bytes());
    for (int layer = 0; layer < 3; ++layer) {
      EXPECT_EQ(storage->BlockBytes(layer, BlockId(block)).data(),
                whole.data() + static_cast<size_t>(layer) * kLayout.block_bytes());
    }
  }
}

TEST(KvStorageTest, CopiesABlockInEveryLayerAndNothingElse) {
  absl::StatusOr<KvStorage> storage = KvStorage::Create(kLayout, 2, 4);
  ASSERT_TRUE(storage.ok());
  for (int layer = 0; layer < 2; ++layer) {
    std::memset(storage->BlockBytes(layer, BlockId(2)).data(), 7 + layer, kLayout.block_bytes());
  }
  ComputeThreads threads({.thread_count = 3});
  threads.Run([&](const ComputeSlice& slice) {
    storage->CopyBlock(BlockId(2), BlockId(0), slice);
    storage->CopyBlock(BlockId(0), BlockId(3), slice);  // of what was copied just now
  });
  for (int layer = 0; layer < 2; ++layer) {
    for (const int block : {0, 2, 3}) {
      EXPECT_THAT(storage->BlockBytes(layer, BlockId(block)),
                  testing::Each(static_cast<std::byte>(7 + layer)));
    }
    EXPECT_THAT(storage->BlockBytes(layer, BlockId(1)), testing::Each(std::byte{0}));
  }
}

TEST(KvStorageTest, ViewsOutliveAMove) {
  absl::StatusOr<KvStorage> made = KvStorage::Create(kLayout, 1, 1);
  ASSERT_TRUE(made.ok());
  std::byte* before = made->Layer(0).data;
  KvStorage storage = *std::move(made);
  EXPECT_EQ(storage.Layer(0).data, before);
}

TEST(KvStorageTest, RefusesWhatCannotBe) {
  EXPECT_EQ(KvStorage::Create(kLayout, 0, 1).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(KvStorage::Create(kLayout, 1, 0).status().code(), absl::StatusCode::kInvalidArgument);
  const KvLayout large{
      .dtype = DType::kF32, .block_tokens = 128, .kv_heads = 1024, .head_dim = 512};
  EXPECT_EQ(KvStorage::Create(large, 100000, 2000000000).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace baton::worker
