// Records which hashed blocks this worker gains and loses, in sealed batches with consecutive
// sequence numbers: what routers mirror.
//
//   log.Stored(hash);  log.Removed(other);
//   if (std::optional<KvEventBatch> batch = log.Seal()) Publish(*batch);   // once per step
//
// A batch holds net changes only: a hash that came and went between two seals is in neither list,
// so the order of the two lists does not matter. A snapshot of the resident hashes taken right
// after a Seal stands for all batches up to head_seq().
//
// Threading: owned by the engine thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/ids.h"

namespace baton::worker {

struct KvEventBatch {
  uint64_t seq = 0;
  std::vector<BlockHash> stored;   // parents before children
  std::vector<BlockHash> removed;  // children before parents
};

class KvEventLog {
 public:
  void Stored(BlockHash hash);
  void Removed(BlockHash hash);

  // What has changed since the last call, if anything has.
  std::optional<KvEventBatch> Seal();

  // Number of the last sealed batch; 0 before the first.
  uint64_t head_seq() const { return head_seq_; }

 private:
  enum class Change { kStored, kRemoved };

  void Record(BlockHash hash, Change change);

  uint64_t head_seq_ = 0;
  std::vector<BlockHash> order_;  // every mention since the last Seal
  absl::flat_hash_map<BlockHash, std::optional<Change>> net_;
};

}  // namespace baton::worker
