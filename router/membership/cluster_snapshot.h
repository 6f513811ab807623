// The workers as one moment saw them: what a routing decision reads.
//
// Built by the `state` thread whenever a worker comes, goes or reports, and published whole.
//
// Threading: immutable once published. Ownership: shared by the publisher and every reader.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.h"
#include "router/load/worker_load.h"

namespace baton::router {

enum class WorkerRole { kPrefill, kDecode, kBoth };

enum class WorkerState {
  kSyncing,  // connected; its snapshot is not complete
  kReady,
  kDraining,  // finishes what it has, takes nothing new
};

// A KV group of a worker: layers that attend to everything, or see a window of one size.
struct KvGroupView {
  uint32_t window = 0;  // positions; 0: all
  uint32_t parts = 1;   // blocks that block_size tokens take
};

// One connected worker. Constant for its epoch, but for state and load.
struct WorkerView {
  uint32_t slot = 0;  // its bit in the prefix index; reused only after the worker has gone
  std::string worker_id;
  std::string address;  // host:port that frontends dial
  Epoch epoch;
  WorkerRole role = WorkerRole::kBoth;
  WorkerState state = WorkerState::kSyncing;

  std::vector<std::string> model_names;  // the served name, then its aliases
  std::string card_digest;
  uint64_t model_digest = 0;
  uint32_t max_model_len = 0;
  uint32_t vocab_size = 0;

  std::string block_hash_scheme;
  uint32_t block_size = 0;   // tokens
  uint32_t block_count = 0;  // of the whole KV cache
  std::vector<KvGroupView> kv_groups = {KvGroupView{}};
  uint32_t max_num_seqs = 0;

  WorkerLoad load;

  // Blocks of the KV cache that `tokens` of one sequence take, those of a window rounded up.
  uint64_t BlocksFor(uint64_t tokens) const {
    const uint64_t size = std::max<uint32_t>(block_size, 1);
    const uint64_t all = (tokens + size - 1) / size;
    uint64_t blocks = 0;
    for (const KvGroupView& group : kv_groups) {
      const uint64_t seen = group.window == 0 ? all : (group.window - 1) / size + 2;
      blocks += group.parts * std::min(all, seen);
    }
    return blocks;
  }
  bool has_windows() const {
    return std::any_of(kv_groups.begin(), kv_groups.end(),
                       [](const KvGroupView& group) { return group.window != 0; });
  }

  // An empty name asks for the only model there is.
  bool Serves(std::string_view name) const {
    if (name.empty()) return true;
    for (const std::string& served : model_names) {
      if (served == name) return true;
    }
    return false;
  }
};

struct ClusterSnapshot {
  std::vector<WorkerView> workers;
  uint32_t slot_count = 0;  // all slots are below it
};

}  // namespace baton::router
