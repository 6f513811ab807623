#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/check.h"

namespace baton::worker {

// A half-open range of rows, heads or elements.
struct Range {
  int64_t begin = 0;
  int64_t count = 0;
  int64_t end() const { return begin + count; }
  friend bool operator==(const Range&, const Range&) = default;
};

// Which part of a model one rank of a tensor-parallel worker holds. {0, 1} is the whole.
//
// Threading: plain data.
struct Shard {
  int rank = 0;
  int size = 1;

  bool whole() const { return size == 1; }

  // This rank's part of `total` items that divide evenly. REQUIRES: total % size == 0; who reads
  // the sizes from a file checks it first.
  Range SliceOf(int64_t total) const {
    BATON_CHECK(total % size == 0) << "shard: total=" << total << " size=" << size;
    return {total / size * rank, total / size};
  }

  // The same of kv heads; where there are fewer of them than ranks, the one that this rank shares
  // with its neighbours. REQUIRES: one number divides the other.
  Range KvHeadsOf(int64_t total) const {
    if (total >= size) return SliceOf(total);
    BATON_CHECK(size % total == 0) << "shard: kv heads=" << total << " size=" << size;
    return {rank / (size / total), 1};
  }

  // This rank's part of any `total`: chunks of equal size, the last ones shorter or empty.
  int64_t ChunkSizeOf(int64_t total) const { return (total + size - 1) / size; }
  Range ChunkOf(int64_t total) const {
    const int64_t begin = std::min(ChunkSizeOf(total) * rank, total);
    return {begin, std::min(ChunkSizeOf(total), total - begin)};
  }
};

}  // namespace baton::worker
