// What each connected worker has said of itself, frame by frame.
//
// A worker's Watch begins with Hello, continues with a snapshot of its blocks, and then with
// changes that are numbered without gaps. The worker can be routed to once its snapshot is
// complete. Any frame that does not fit (a gap, an unknown hash scheme, nothing before Hello) is an
// error: the caller cuts the watch, forgets the worker, and connects again for a new snapshot. A
// gap can therefore never loop: each attempt starts from a whole snapshot.
//
// Threading: owned by the `state` thread.
// Ownership: writes the index and the reservations of the slots that it hands out.
// Errors:    Apply returns FAILED_PRECONDITION for a worker that can never fit, ABORTED for a watch
//            out of step. The worker's entry is then as before; the caller drops it with Remove.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "baton/v1/worker.pb.h"
#include "router/index/prefix_index.h"
#include "router/load/reservations.h"
#include "router/membership/cluster_snapshot.h"

namespace baton::router {

class WorkerTable {
 public:
  WorkerTable(PrefixIndex& index, Reservations& reservations);

  // Takes one frame of the watch of `address`. The first must be Hello.
  absl::Status Apply(const std::string& address, const v1::WatchFrame& frame);

  // The worker has left: its blocks and reservations are forgotten, its slot is free again.
  void Remove(const std::string& address);

  bool Contains(const std::string& address) const { return entries_.contains(address); }

  // A copy of what is known, for publication. Order is by address.
  std::shared_ptr<const ClusterSnapshot> Snapshot() const;

  // Workers by state.
  int CountOf(WorkerState state) const;

 private:
  struct Entry {
    WorkerView view;
    uint64_t head_seq = 0;     // of Hello: the snapshot may not be older
    uint64_t applied_seq = 0;  // the last change that is in the index
  };

  absl::Status ApplyHello(const std::string& address, const v1::WatchFrame::Hello& hello);
  absl::Status ApplySnapshot(Entry& entry, const v1::WatchFrame::Snapshot& snapshot);
  absl::Status ApplyBlocks(Entry& entry, const v1::WatchFrame::Blocks& blocks);
  void ApplyLoad(Entry& entry, const v1::WatchFrame::Load& load);
  uint32_t TakeSlot();

  PrefixIndex& index_;
  Reservations& reservations_;
  std::map<std::string, Entry> entries_;
  std::vector<uint32_t> free_slots_;
  uint32_t slot_count_ = 0;
};

}  // namespace baton::router
