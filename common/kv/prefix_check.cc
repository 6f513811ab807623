#include "common/kv/prefix_check.h"

#include <xxhash.h>

#include <cstring>

#include "common/base/check.h"

namespace baton {
namespace {

constexpr size_t kTokensMax = 128;

}  // namespace

uint64_t PrefixCheck(uint64_t key, uint64_t parent, std::span<const TokenId> block) {
  BATON_CHECK(!block.empty() && block.size() <= kTokensMax)
      << "prefix check: tokens=" << block.size();
  char bytes[sizeof(parent) + kTokensMax * sizeof(TokenId)];
  std::memcpy(bytes, &parent, sizeof(parent));
  std::memcpy(bytes + sizeof(parent), block.data(), block.size_bytes());
  return XXH3_64bits_withSeed(bytes, sizeof(parent) + block.size_bytes(), key);
}

}  // namespace baton
