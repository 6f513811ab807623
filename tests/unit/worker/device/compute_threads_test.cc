#include "worker/device/compute_threads.h"

#include <numeric>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace baton::worker {
namespace {

TEST(ComputeThreadsTest, EveryThreadRunsOnceInEachRegion) {
  for (const int count : {1, 2, 3, 8}) {
    ComputeThreads threads({.thread_count = count});
    EXPECT_EQ(threads.thread_count(), count);
    std::vector<int> runs(static_cast<size_t>(count));
    for (int region = 0; region < 200; ++region) {
      threads.Run([&](const ComputeSlice& slice) {
        EXPECT_EQ(slice.count(), count);
        ++runs[static_cast<size_t>(slice.index())];
      });
    }
    EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(count), 200));
  }
}

TEST(ComputeThreadsTest, TheOwnerIsIndexZero) {
  ComputeThreads threads({.thread_count = 3});
  const std::thread::id owner = std::this_thread::get_id();
  threads.Run([&](const ComputeSlice& slice) {
    EXPECT_EQ(std::this_thread::get_id() == owner, slice.index() == 0);
  });
}

// Plain memory written before a Sync is read after it by every other thread.
TEST(ComputeThreadsTest, SyncMakesWritesVisible) {
  constexpr int kThreads = 4;
  ComputeThreads threads({.thread_count = kThreads});
  std::vector<int> cells(kThreads);
  threads.Run([&](const ComputeSlice& slice) {
    for (int round = 1; round <= 500; ++round) {
      cells[static_cast<size_t>(slice.index())] = round;
      slice.Sync();
      ASSERT_EQ(std::accumulate(cells.begin(), cells.end(), 0), round * kThreads);
      slice.Sync();
    }
  });
}

TEST(ComputeThreadsTest, SharesCoverAllItemsAndDifferByOne) {
  ComputeThreads threads({.thread_count = 3});
  for (const int64_t total : {0, 1, 2, 3, 100}) {
    std::vector<ComputeSlice::Range> shares(3);
    threads.Run([&](const ComputeSlice& slice) {
      shares[static_cast<size_t>(slice.index())] = slice.Share(total);
    });
    int64_t next = 0;
    for (const ComputeSlice::Range& share : shares) {
      EXPECT_EQ(share.begin, next);
      EXPECT_GE(share.end - share.begin, total / 3);
      EXPECT_LE(share.end - share.begin, total / 3 + 1);
      next = share.end;
    }
    EXPECT_EQ(next, total);
  }
}

TEST(ComputeThreadsTest, WholeIsAloneAndNeverWaits) {
  const ComputeSlice whole = ComputeSlice::Whole(CpuIsa::kPlain);
  whole.Sync();
  EXPECT_EQ(whole.Share(10).end, 10);
  EXPECT_EQ(whole.isa(), CpuIsa::kPlain);
}

// Threads that have parked wake up for the next region: far more regions apart than they spin for
// are forced by joining another thread's slow work in between.
TEST(ComputeThreadsTest, ParkedThreadsComeBack) {
  ComputeThreads threads({.thread_count = 2, .pin = true});
  int runs = 0;
  for (int region = 0; region < 5; ++region) {
    std::vector<uint32_t> work(2000000, 1);
    EXPECT_EQ(std::accumulate(work.begin(), work.end(), 0u), work.size());
    threads.Run([&](const ComputeSlice& slice) {
      if (slice.index() == 1) ++runs;
    });
  }
  EXPECT_EQ(runs, 5);
}

}  // namespace
}  // namespace baton::worker
