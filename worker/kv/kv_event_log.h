// Records which hashed blocks this worker gains and loses, by KV group, in sealed batches with
// consecutive sequence numbers: what routers mirror.
//
//   log.Stored(group, hash);  log.Removed(group, other);
//   if (std::optional<KvEventBatch> batch = log.Seal()) Publish(*batch);   // once per step
//
// A group holds a hash while all of its parts do: it is announced with the last of them to come,
// and taken back with the first to go.
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
#include "worker/kv/kv_group.h"

namespace baton::worker {

struct KvChanges {
  std::vector<BlockHash> stored;   // parents before children
  std::vector<BlockHash> removed;  // children before parents

  bool empty() const { return stored.empty() && removed.empty(); }
};

struct KvEventBatch {
  uint64_t seq = 0;
  std::vector<KvChanges> groups;  // of every group, in order
};

class KvEventLog {
 public:
  explicit KvEventLog(const KvGroups& groups = {KvGroup{}});

  // One part of the group gains, or loses, a block of this hash.
  void Stored(int32_t group, BlockHash hash);
  void Removed(int32_t group, BlockHash hash);

  // What has changed since the last call, if anything has.
  std::optional<KvEventBatch> Seal();

  // Number of the last sealed batch; 0 before the first.
  uint64_t head_seq() const { return head_seq_; }

 private:
  enum class Change { kStored, kRemoved };

  struct Group {
    int32_t parts = 1;
    absl::flat_hash_map<BlockHash, int32_t> held;  // parts that hold it, where there are several
    std::vector<BlockHash> order;                  // every mention since the last Seal
    absl::flat_hash_map<BlockHash, std::optional<Change>> net;
  };

  static void Record(Group& group, BlockHash hash, Change change);
  static KvChanges TakeChanges(Group& group);

  uint64_t head_seq_ = 0;
  std::vector<Group> groups_;
};

}  // namespace baton::worker
