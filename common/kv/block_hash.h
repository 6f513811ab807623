#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/ids.h"

namespace baton {

// Name of the scheme below. A worker states it in Describe; peers with another one refuse each
// other instead of silently missing. Any change of a byte that is hashed changes the name.
inline constexpr std::string_view kBlockHashScheme = "baton-xxh3-64/1";

// What all blocks of one chain have in common. Equal chains of equal identity are equal hashes, in
// every process of every machine.
struct BlockChainIdentity {
  uint64_t model_digest = 0;         // ModelInfo.model_digest: weights, tokenizer, everything
  uint32_t block_size = 64;          // tokens in a block
  std::string_view adapter = {};     // empty: none
  std::string_view cache_salt = {};  // empty: shared by all tenants
};

// Parent of the first block of a chain.
BlockHash BlockChainRoot(const BlockChainIdentity& identity);

// Hash of a full block that follows `parent`. The 64 bits are for routing and for finding
// candidates; whoever reuses cache contents compares the token ids as well.
BlockHash NextBlockHash(BlockHash parent, std::span<const TokenId> block);

// Hashes of the full blocks of `tokens`, in order; a partial last block has none.
// REQUIRES: block_size > 0, the one of the root's identity.
std::vector<BlockHash> HashBlocks(BlockHash root, std::span<const TokenId> tokens,
                                  uint32_t block_size);

}  // namespace baton
