#include "common/kv/block_hash.h"

#include <xxhash.h>

#include <bit>
#include <cstring>
#include <string>

#include "common/base/check.h"

namespace baton {
namespace {

static_assert(std::endian::native == std::endian::little, "hashes are of little-endian bytes");

// Bytes of a block of 128 tokens, the largest that the engine allows, behind its parent's hash.
constexpr size_t kBlockBytesMax = sizeof(uint64_t) + 128 * sizeof(TokenId);

template <typename Integer>
void AppendInteger(std::string& bytes, Integer value) {
  char raw[sizeof(value)];
  std::memcpy(raw, &value, sizeof(value));
  bytes.append(raw, sizeof(value));
}

// Lengths go first, so that no two identities have the same bytes.
void AppendText(std::string& bytes, std::string_view text) {
  AppendInteger(bytes, static_cast<uint64_t>(text.size()));
  bytes.append(text);
}

}  // namespace

BlockHash BlockChainRoot(const BlockChainIdentity& identity) {
  std::string bytes;
  AppendText(bytes, kBlockHashScheme);
  AppendInteger(bytes, identity.model_digest);
  AppendInteger(bytes, identity.block_size);
  AppendText(bytes, identity.adapter);
  AppendText(bytes, identity.cache_salt);
  return BlockHash(XXH3_64bits(bytes.data(), bytes.size()));
}

BlockHash NextBlockHash(BlockHash parent, std::span<const TokenId> block) {
  char bytes[kBlockBytesMax];
  const size_t size = sizeof(uint64_t) + block.size_bytes();
  BATON_CHECK(!block.empty() && size <= kBlockBytesMax) << "block hash: tokens=" << block.size();
  const uint64_t parent_value = parent.value();
  std::memcpy(bytes, &parent_value, sizeof(parent_value));
  std::memcpy(bytes + sizeof(parent_value), block.data(), block.size_bytes());
  return BlockHash(XXH3_64bits(bytes, size));
}

std::vector<BlockHash> HashBlocks(BlockHash root, std::span<const TokenId> tokens,
                                  uint32_t block_size) {
  BATON_CHECK(block_size > 0) << "hash blocks: block_size=0";
  std::vector<BlockHash> hashes;
  hashes.reserve(tokens.size() / block_size);
  BlockHash parent = root;
  for (size_t begin = 0; begin + block_size <= tokens.size(); begin += block_size) {
    parent = NextBlockHash(parent, tokens.subspan(begin, block_size));
    hashes.push_back(parent);
  }
  return hashes;
}

}  // namespace baton
