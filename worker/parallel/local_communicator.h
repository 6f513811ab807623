#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "worker/parallel/communicator.h"

namespace baton::worker {

// The communicator of ranks that are threads of one process: each adds its share of the elements of
// all ranks' buffers in place, so an all-reduce moves every byte once.
//
//   std::vector<std::unique_ptr<Communicator>> ranks =
//       MakeLocalCommunicators(2, RealClock(), std::chrono::seconds(10));
//
// A group of one never waits.
//
// Threading, Errors: as Communicator.
// Ownership: the members share the group's state; they may die in any order, once no operation
//            runs.
std::vector<std::unique_ptr<Communicator>> MakeLocalCommunicators(int size, Clock& clock,
                                                                  Duration deadline);

namespace internal {

// What the ranks of a local group share: a rendezvous at which each shows what it brings.
//
// Threading: thread-safe.
class LocalGroup {
 public:
  // One rank's part in the operation under way.
  struct Offer {
    std::string_view operation;
    const void* send = nullptr;
    void* receive = nullptr;
    size_t size = 0;
    int root = 0;
  };

  LocalGroup(int size, Clock& clock, Duration deadline);

  int size() const { return static_cast<int>(offers_.size()); }

  // Shows `offer` and waits until every rank has shown one of the same kind. The offers of others
  // may be read until the caller's Depart.
  absl::Status Meet(int rank, const Offer& offer);

  // Waits until every rank is done with the others' buffers. Also when the group broke meanwhile:
  // who has met is only copying, and its buffers must stay until it is done.
  absl::Status Depart();

  const Offer& offer(int rank) const { return offers_[static_cast<size_t>(rank)]; }

  void Abort(const absl::Status& reason);

 private:
  // Waits for all ranks to meet, until the deadline or a failure.
  absl::Status AwaitOthersLocked(MutexLock& lock, int rank, std::string_view operation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartRoundLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // INTERNAL if the rank's offer differs from that of whoever came first.
  absl::Status CompareLocked(int rank) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FailLocked(const absl::Status& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  const Duration deadline_;

  Mutex mutex_;
  CondVar changed_;
  absl::Status broken_ ABSL_GUARDED_BY(mutex_);
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
  int first_rank_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t round_ ABSL_GUARDED_BY(mutex_) = 0;  // two per operation: Meet and Depart

  // Each entry is written by its rank before Meet's rendezvous and read by others after it.
  std::vector<Offer> offers_;
};

}  // namespace internal
}  // namespace baton::worker
