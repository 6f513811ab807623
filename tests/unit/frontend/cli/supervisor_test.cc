#include "frontend/cli/supervisor.h"

#include <signal.h>

#include <map>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fakes/fake_clock.h"

namespace baton::frontend {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kStatusOne = 1 << 8;  // as wait() gives it

// Processes that exist only as numbers.
class FakeProcesses final : public Processes {
 public:
  absl::StatusOr<pid_t> Start(const ProcessSpec& spec) override {
    if (spec.program == absent) return NotFound("start: no such program");
    started.push_back(spec.program);
    return next_pid++;
  }
  void Signal(pid_t pid, int signal) override { signals.emplace_back(pid, signal); }

  std::vector<std::string> started;
  std::vector<std::pair<pid_t, int>> signals;
  std::string absent;
  pid_t next_pid = 100;
};

class SupervisorTest : public testing::Test {
 protected:
  static ChildSpec Child(const std::string& name, int stage) {
    ChildSpec child;
    child.name = name;
    child.process.program = name;
    child.stop_stage = stage;
    return child;
  }

  FakeClock clock_;
  FakeProcesses processes_;
  // Process ids: worker 100, router 101, frontend 102.
  Supervisor supervisor_{
      {}, {Child("worker", 2), Child("router", 1), Child("frontend", 0)}, processes_, clock_};
};

TEST_F(SupervisorTest, StartsAllInOrder) {
  ASSERT_TRUE(supervisor_.StartAll().ok());
  EXPECT_THAT(processes_.started, ElementsAre("worker", "router", "frontend"));
  EXPECT_FALSE(supervisor_.stopped());
}

TEST_F(SupervisorTest, AProgramThatIsNotThereIsAnError) {
  processes_.absent = "router";
  EXPECT_EQ(supervisor_.StartAll().code(), absl::StatusCode::kNotFound);
}

TEST_F(SupervisorTest, AnEndBeforeServingIsAFailure) {
  ASSERT_TRUE(supervisor_.StartAll().ok());
  supervisor_.OnExit(100, kStatusOne);
  ASSERT_TRUE(supervisor_.failure().has_value());
  EXPECT_EQ(supervisor_.failure()->message(), "worker ended with status 1 before it was ready");
}

TEST_F(SupervisorTest, AnEndWhileServingIsARestartAfterAPause) {
  ASSERT_TRUE(supervisor_.StartAll().ok());
  supervisor_.Serving();
  supervisor_.OnExit(100, SIGKILL);
  supervisor_.Tick();
  EXPECT_EQ(processes_.started.size(), 3u);
  EXPECT_EQ(supervisor_.next_due(), clock_.Now() + std::chrono::milliseconds(100));
  clock_.Advance(std::chrono::milliseconds(100));
  supervisor_.Tick();
  EXPECT_EQ(processes_.started.back(), "worker");
  EXPECT_EQ(supervisor_.restarts(), 1);
  EXPECT_FALSE(supervisor_.failure().has_value());
}

TEST_F(SupervisorTest, PausesDoubleUpToTheBoundAndThenItGivesUp) {
  ASSERT_TRUE(supervisor_.StartAll().ok());
  supervisor_.Serving();
  pid_t pid = 100;
  Duration last(0);
  for (int failure = 1; failure <= 20; ++failure) {
    supervisor_.OnExit(pid, kStatusOne);
    ASSERT_FALSE(supervisor_.failure().has_value()) << failure;
    const Duration pause = supervisor_.next_due() - clock_.Now();
    EXPECT_GE(pause, last);
    EXPECT_LE(pause, std::chrono::seconds(10));
    last = pause;
    clock_.Advance(pause);
    supervisor_.Tick();
    pid = processes_.next_pid - 1;
  }
  supervisor_.OnExit(pid, kStatusOne);
  EXPECT_TRUE(supervisor_.failure().has_value());
}

TEST_F(SupervisorTest, AStableProgramStartsItsPausesAnew) {
  ASSERT_TRUE(supervisor_.StartAll().ok());
  supervisor_.Serving();
  for (int i = 0; i < 50; ++i) {
    clock_.Advance(std::chrono::minutes(1));
    supervisor_.OnExit(i == 0 ? 100 : processes_.next_pid - 1, kStatusOne);
    clock_.Advance(std::chrono::milliseconds(100));
    supervisor_.Tick();
  }
  EXPECT_FALSE(supervisor_.failure().has_value());
  EXPECT_EQ(supervisor_.restarts(), 50);
}

TEST_F(SupervisorTest, StopsStageByStage) {
  ASSERT_TRUE(supervisor_.StartAll().ok());
  supervisor_.Serving();
  supervisor_.BeginStop();
  supervisor_.BeginStop();
  EXPECT_THAT(processes_.signals, ElementsAre(std::pair(102, SIGTERM)));
  supervisor_.OnExit(102, 0);
  EXPECT_EQ(processes_.signals.back(), std::pair(101, SIGTERM));
  supervisor_.OnExit(101, 0);
  EXPECT_EQ(processes_.signals.back(), std::pair(100, SIGTERM));
  EXPECT_FALSE(supervisor_.stopped());
  supervisor_.OnExit(100, 0);
  EXPECT_TRUE(supervisor_.stopped());
  EXPECT_EQ(processes_.signals.size(), 3u);
}

TEST_F(SupervisorTest, ASecondStopSignalKillsUnlessItComesWithTheFirst) {
  ASSERT_TRUE(supervisor_.StartAll().ok());
  supervisor_.OnStopSignal();
  EXPECT_TRUE(supervisor_.stopping());
  clock_.Advance(std::chrono::milliseconds(900));
  supervisor_.OnStopSignal();
  EXPECT_THAT(processes_.signals, ElementsAre(std::pair(102, SIGTERM)));
  clock_.Advance(std::chrono::milliseconds(200));
  supervisor_.OnStopSignal();
  EXPECT_EQ(processes_.signals.back().second, SIGKILL);
  EXPECT_EQ(processes_.signals.size(), 4u);
}

TEST_F(SupervisorTest, AChildThatEndsOutOfTurnSkipsItsStage) {
  ASSERT_TRUE(supervisor_.StartAll().ok());
  supervisor_.BeginStop();
  supervisor_.OnExit(101, 0);
  EXPECT_EQ(processes_.signals.size(), 1u);
  supervisor_.OnExit(102, 0);
  EXPECT_EQ(processes_.signals.back(), std::pair(100, SIGTERM));
}

TEST_F(SupervisorTest, AStageThatOverrunsIsKilled) {
  ASSERT_TRUE(supervisor_.StartAll().ok());
  supervisor_.BeginStop();
  processes_.signals.clear();
  clock_.Advance(std::chrono::seconds(19));
  supervisor_.Tick();
  EXPECT_THAT(processes_.signals, IsEmpty());
  clock_.Advance(std::chrono::seconds(1));
  supervisor_.Tick();
  EXPECT_THAT(processes_.signals, ElementsAre(std::pair(100, SIGKILL), std::pair(101, SIGKILL),
                                              std::pair(102, SIGKILL)));
}

}  // namespace
}  // namespace baton::frontend
