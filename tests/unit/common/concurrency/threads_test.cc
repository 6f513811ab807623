#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/owned_thread.h"
#include "common/concurrency/periodic_task.h"
#include "common/concurrency/shutdown.h"
#include "common/concurrency/snapshot.h"
#include "common/concurrency/termination_signals.h"
#include "common/concurrency/thread_checker.h"
#include "tests/fakes/fake_clock.h"

namespace baton {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(OwnedThreadTest, RunsUnderItsNameAndJoinsWhenDestroyed) {
  std::string seen;
  bool stopped = false;
  {
    BoundedQueue<int> started(1);
    OwnedThread thread("a-rather-long-name", [&](std::stop_token stop) {
      char name[16] = {};
      prctl(PR_GET_NAME, name, 0, 0, 0);
      seen = name;
      ASSERT_EQ(started.TryPush(1), PushResult::kPushed);
      while (!stop.stop_requested()) std::this_thread::yield();
      stopped = true;
    });
    EXPECT_FALSE(thread.IsCurrent());
    started.Pop();
  }
  EXPECT_EQ(seen, "a-rather-long-n");
  EXPECT_TRUE(stopped);
}

TEST(OwnedThreadTest, BlocksTerminationSignals) {
  bool blocked = false;
  OwnedThread thread("signals", [&](std::stop_token) {
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, nullptr, &set);
    blocked = sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGINT) == 1;
  });
  thread.Join();
  thread.Join();
  EXPECT_TRUE(blocked);
}

TEST(ThreadCheckerTest, BelongsToTheFirstThreadThatAsks) {
  ThreadChecker checker;
  bool other = true;
  EXPECT_TRUE(checker.CalledOnOwner());
  OwnedThread("other", [&](std::stop_token) { other = checker.CalledOnOwner(); }).Join();
  EXPECT_FALSE(other);
  checker.Detach();
  OwnedThread("other", [&](std::stop_token) { other = checker.CalledOnOwner(); }).Join();
  EXPECT_TRUE(other);
  EXPECT_FALSE(checker.CalledOnOwner());
}

TEST(SnapshotTest, ReadersSeeWholeValuesAndOldOnesLiveOn) {
  struct Pair {
    int a;
    int b;
  };
  Snapshot<Pair> snapshot(std::make_shared<Pair>(Pair{0, 0}));
  const std::shared_ptr<const Pair> first = snapshot.Load();
  std::atomic<bool> torn{false};
  {
    std::vector<std::unique_ptr<OwnedThread>> readers;
    for (int i = 0; i < 3; ++i) {
      readers.push_back(std::make_unique<OwnedThread>("reader", [&](std::stop_token stop) {
        while (!stop.stop_requested()) {
          const std::shared_ptr<const Pair> pair = snapshot.Load();
          if (pair->b != -pair->a) torn = true;
        }
      }));
    }
    for (int i = 1; i <= 1000; ++i) snapshot.Publish(std::make_shared<Pair>(Pair{i, -i}));
  }
  EXPECT_FALSE(torn);
  EXPECT_EQ(snapshot.Load()->a, 1000);
  EXPECT_EQ(first->a, 0);
}

TEST(PeriodicTaskTest, KeepsPaceByItsClockAndSkipsMissedPeriods) {
  FakeClock clock;
  BoundedQueue<MonotonicTime> calls(16);
  const MonotonicTime start = clock.Now();
  PeriodicTask task("tick", clock, seconds(2),
                    [&] { ASSERT_EQ(calls.TryPush(clock.Now()), PushResult::kPushed); });
  clock.Advance(seconds(2));
  EXPECT_EQ(calls.Pop(), start + seconds(2));
  clock.Advance(seconds(7));
  EXPECT_EQ(calls.Pop(), start + seconds(9));
  EXPECT_EQ(calls.size(), 0u);
  task.RunSoon();
  EXPECT_EQ(calls.Pop(), start + seconds(9));
  task.Stop();
  clock.Advance(seconds(100));
  EXPECT_EQ(calls.size(), 0u);
}

TEST(ShutdownTest, RunsStagesInOrderAndReportsAnOverrun) {
  FakeClock clock;
  std::vector<std::string> events;
  Shutdown shutdown(clock, [&](const Shutdown::StageReport& report) {
    events.push_back(report.name + (report.overran() ? " late" : " done"));
  });
  const MonotonicTime start = clock.Now();
  shutdown.AddStage("readiness", seconds(1), [&](MonotonicTime deadline) {
    EXPECT_EQ(deadline, start + seconds(1));
    events.push_back("readiness");
  });
  shutdown.AddStage("drain", seconds(2), [&](MonotonicTime) { clock.Advance(seconds(3)); });
  shutdown.AddStage("flush", seconds(1),
                    [&](MonotonicTime deadline) { EXPECT_EQ(deadline, start + seconds(4)); });
  EXPECT_FALSE(shutdown.Run());
  EXPECT_THAT(events,
              testing::ElementsAre("readiness", "readiness done", "drain late", "flush done"));
}

TEST(ShutdownTest, IsTrueWhenEveryStageKeepsItsDeadline) {
  FakeClock clock;
  Shutdown shutdown(clock, [](const Shutdown::StageReport&) {});
  shutdown.AddStage("only", seconds(1), [&](MonotonicTime) { clock.Advance(milliseconds(999)); });
  EXPECT_TRUE(shutdown.Run());
}

// Signals change the whole process, so each case runs in a child.
TEST(TerminationSignalsDeathTest, FirstIsReturnedSecondKills) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        TerminationSignals signals;
        kill(getpid(), SIGINT);
        if (signals.Wait() != SIGINT) _exit(1);
        kill(getpid(), SIGTERM);
        _exit(2);
      },
      testing::KilledBySignal(SIGTERM), "");
}

TEST(TerminationSignalsDeathTest, TriggerEndsTheWait) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        TerminationSignals signals;
        signals.Trigger();
        _exit(signals.Wait() == SIGTERM ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace baton
