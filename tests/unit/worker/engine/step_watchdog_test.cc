#include "worker/engine/step_watchdog.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_executor.h"
#include "tests/unit/worker/engine/scheduler_fixture.h"

namespace baton::worker {
namespace {

using std::chrono::seconds;

constexpr Duration kLimit = seconds(10);

class StallDetectorTest : public ::testing::Test {
 protected:
  // Whether a stall is told when so many seconds have passed.
  bool Look(int at, uint64_t turns, int32_t requests) {
    return detector_.Look(MonotonicTime(seconds(1000 + at)), turns, requests).has_value();
  }

  StallDetector detector_{kLimit};
};

TEST_F(StallDetectorTest, WorkThatMovesIsNoStall) {
  for (int at = 0; at < 100; ++at) EXPECT_FALSE(Look(at, static_cast<uint64_t>(at / 9), 3));
}

TEST_F(StallDetectorTest, NothingToDoIsNoStall) {
  for (int at = 0; at < 100; ++at) EXPECT_FALSE(Look(at, 7, 0));
  // The wait counts from the request on, not from the last turn.
  for (int at = 100; at < 110; ++at) EXPECT_FALSE(Look(at, 7, 1));
  EXPECT_TRUE(Look(110, 7, 1));
}

TEST_F(StallDetectorTest, AStallIsToldOnceAndAgainAfterTheNextTurn) {
  EXPECT_FALSE(Look(0, 5, 1));
  EXPECT_TRUE(Look(10, 5, 1));
  EXPECT_FALSE(Look(30, 5, 2));
  EXPECT_FALSE(Look(31, 6, 2));
  EXPECT_FALSE(Look(40, 6, 2));
  EXPECT_TRUE(Look(41, 6, 2));
}

TEST_F(StallDetectorTest, SaysWhatWaits) {
  detector_.Look(MonotonicTime(seconds(1)), 5, 1);
  const auto stall = detector_.Look(MonotonicTime(seconds(13)), 5, 4);
  ASSERT_TRUE(stall.has_value());
  EXPECT_EQ(stall->since, seconds(12));
  EXPECT_EQ(stall->requests, 4);
  EXPECT_EQ(stall->turn_count, 5U);
}

class SilentPeer final : public EnginePeer {
 public:
  void OnStep(StepEvents&) override {}
};

TEST(StepWatchdogTest, AStepThatHangsIsNoticed) {
  FakeClock clock;
  FakeExecutor executor({});
  executor.CloseGate();
  EngineLoop engine(
      {.scheduler = ConfigOf({}), .limits = {.max_requests = 4, .max_prompt_tokens = 64}}, executor,
      clock, {});
  std::mutex mutex;
  std::condition_variable changed;
  int stalls = 0;
  StepWatchdog watchdog(engine, clock, kLimit, [&](const EngineStall& stall) {
    std::lock_guard lock(mutex);
    EXPECT_EQ(stall.requests, 1);
    ++stalls;
    changed.notify_all();
  });
  GenerationRequest request = RequestOf(engine.NewKey().value(), Counted(3, 5), 2);
  request.peer = std::make_shared<SilentPeer>();
  ASSERT_TRUE(engine.Submit(std::move(request)).ok());
  executor.WaitForBegun(1);
  {
    std::unique_lock lock(mutex);
    // Time goes by in steps, because the watchdog's wait begins when its thread does.
    while (stalls == 0) {
      clock.Advance(seconds(1));
      changed.wait_for(lock, std::chrono::milliseconds(1));
    }
  }
  executor.OpenGate();
  ASSERT_TRUE(engine.WaitUntilIdle(clock.Now() + seconds(100)));
  std::lock_guard lock(mutex);
  EXPECT_EQ(stalls, 1);
}

}  // namespace
}  // namespace baton::worker
