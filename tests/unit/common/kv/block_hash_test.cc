#include "common/kv/block_hash.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

namespace baton {
namespace {

std::vector<TokenId> Iota(size_t count) {
  std::vector<TokenId> tokens(count);
  std::iota(tokens.begin(), tokens.end(), 0u);
  return tokens;
}

// Golden vectors: the wire identity of blocks. If one changes, kBlockHashScheme must change.
// They were computed from the README's definition by an independent C program.
TEST(BlockHashTest, GoldenVectors) {
  EXPECT_EQ(kBlockHashScheme, "baton-xxh3-64/1");
  const BlockHash plain = BlockChainRoot({.model_digest = 0x0123456789abcdef, .block_size = 64});
  EXPECT_EQ(plain, BlockHash(0x2a4b1b271e8263f4));
  const BlockHash salted = BlockChainRoot({.model_digest = 0x0123456789abcdef,
                                           .block_size = 16,
                                           .adapter = "lora-a",
                                           .cache_salt = "tenant-1"});
  EXPECT_EQ(salted, BlockHash(0xd0071b7e6a109848));
  const std::vector<TokenId> tokens = Iota(150);
  EXPECT_EQ(HashBlocks(plain, tokens, 64),
            (std::vector<BlockHash>{BlockHash(0xce688a38e7ce2087), BlockHash(0x1d0c25336435573d)}));
  EXPECT_EQ(HashBlocks(salted, std::span(tokens).first(17), 16),
            (std::vector<BlockHash>{BlockHash(0x4ff6a6f72eba11f7)}));
}

TEST(BlockHashTest, PrefixesShareHashesAndAChangeBreaksTheRest) {
  const BlockHash root = BlockChainRoot({.model_digest = 1, .block_size = 16});
  std::vector<TokenId> tokens = Iota(64);
  const std::vector<BlockHash> whole = HashBlocks(root, tokens, 16);
  const std::vector<BlockHash> half = HashBlocks(root, std::span(tokens).first(40), 16);
  ASSERT_EQ(whole.size(), 4u);
  ASSERT_EQ(half.size(), 2u);
  EXPECT_EQ(half[1], whole[1]);
  tokens[20] ^= 1;
  const std::vector<BlockHash> changed = HashBlocks(root, tokens, 16);
  EXPECT_EQ(changed[0], whole[0]);
  EXPECT_NE(changed[1], whole[1]);
  EXPECT_NE(changed[3], whole[3]);
}

TEST(BlockHashTest, EveryPartOfTheIdentityCounts) {
  std::set<BlockHash> roots;
  for (uint64_t model : {1u, 2u}) {
    for (uint32_t size : {16u, 64u}) {
      roots.insert(BlockChainRoot({.model_digest = model, .block_size = size}));
      roots.insert(BlockChainRoot({.model_digest = model, .block_size = size, .adapter = "x"}));
      roots.insert(BlockChainRoot({.model_digest = model, .block_size = size, .cache_salt = "x"}));
    }
  }
  EXPECT_EQ(roots.size(), 12u);
}

TEST(BlockHashTest, TooFewTokensHaveNoHash) {
  EXPECT_TRUE(HashBlocks(BlockHash(1), Iota(15), 16).empty());
  EXPECT_TRUE(HashBlocks(BlockHash(1), {}, 16).empty());
}

}  // namespace
}  // namespace baton
