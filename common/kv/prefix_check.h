// A second name of a prefix, under a key that only this process knows: for caches that cannot walk
// from a block to its ancestors, because they have given those up. Two prefixes that are equal in
// it, in their block hash and in the tokens at hand are taken for one; nobody who does not know the
// key can make two that are.
//
// Threading: pure function.
#pragma once

#include <cstdint>
#include <span>

#include "common/base/ids.h"

namespace baton {

// Of the prefix that `block` ends, given that of the prefix before it; 0 before the first block.
// REQUIRES: the block is not empty and has at most 128 tokens.
uint64_t PrefixCheck(uint64_t key, uint64_t parent, std::span<const TokenId> block);

}  // namespace baton
