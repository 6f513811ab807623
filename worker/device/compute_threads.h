#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/concurrency/owned_thread.h"
#include "common/concurrency/thread_checker.h"
#include "worker/device/cpu_isa.h"

namespace baton::worker {

class ComputeThreads;

// One thread's share of a parallel region: every op takes one and does its part of the work.
//
// Threading: used only by the thread it was made for.
// Ownership: valid until the region ends.
class ComputeSlice {
 public:
  // The whole work on the calling thread: for tests, and for results that every thread wants.
  static ComputeSlice Whole(CpuIsa isa) { return ComputeSlice(0, 1, isa, nullptr); }

  int index() const { return index_; }
  int count() const { return count_; }
  CpuIsa isa() const { return isa_; }

  // The part [begin, end) of `total` items that falls to this thread; parts differ by at most one.
  struct Range {
    int64_t begin;
    int64_t end;
  };
  Range Share(int64_t total) const {
    return {total * index_ / count_, total * (index_ + 1) / count_};
  }

  // Waits until every thread of the region has come here; what they wrote before is visible after.
  // All of them must make the same sequence of calls.
  void Sync() const;

 private:
  friend class ComputeThreads;
  ComputeSlice(int index, int count, CpuIsa isa, ComputeThreads* threads)
      : index_(index), count_(count), isa_(isa), threads_(threads) {}

  int index_;
  int count_;
  CpuIsa isa_;
  ComputeThreads* threads_;
};

// The threads that one executor computes with. They spin for a moment between regions, because a
// layer needs several and a wake-up costs more than most of them, and then park.
//
//   ComputeThreads threads({.thread_count = 2});
//   threads.Run([&](const ComputeSlice& slice) {
//     RmsNorm(norm, slice);
//     slice.Sync();
//     Linear(qkv, slice);
//   });
//
// Threading: Run from one thread, the owner, which computes as index 0. The body must not block on
//            anything but Sync.
// Ownership: joins its threads when destroyed.
class ComputeThreads {
 public:
  struct Options {
    int thread_count = 1;          // with the owner; > 0
    bool pin = false;              // thread i, the owner too, to the i-th processor it may use
    CpuIsa isa = BestCpuIsa();     // which kernels the ops take; must be supported
    const char* name = "compute";  // of the threads: name-1, name-2, ...
  };

  explicit ComputeThreads(const Options& options);
  ~ComputeThreads();

  ComputeThreads(const ComputeThreads&) = delete;
  ComputeThreads& operator=(const ComputeThreads&) = delete;

  int thread_count() const { return thread_count_; }
  CpuIsa isa() const { return isa_; }

  // Runs `body` once on every thread and returns when all are done.
  void Run(absl::FunctionRef<void(const ComputeSlice&)> body);

 private:
  friend class ComputeSlice;
  using Body = absl::FunctionRef<void(const ComputeSlice&)>;

  void Work(int index);
  void ArriveAndWait();

  // Constant after construction.
  const int thread_count_;
  const CpuIsa isa_;
  const bool pin_;
  const ThreadChecker owner_;

  // Written by the owner before `region_` moves on, read by the others after.
  const Body* body_ = nullptr;
  bool stopping_ = false;

  // The owner's alone.
  bool owner_pinned_ = false;

  // Each on its own cache line: the threads spin on them.
  alignas(64) std::atomic<uint32_t> region_{0};   // regions begun
  alignas(64) std::atomic<uint32_t> running_{0};  // threads, but the owner, still in the region
  alignas(64) std::atomic<uint32_t> arrived_{0};  // threads waiting in Sync
  alignas(64) std::atomic<uint32_t> phase_{0};    // Syncs completed

  std::vector<std::unique_ptr<OwnedThread>> threads_;  // last: they use all of the above
};

}  // namespace baton::worker
