#include "common/constraint/grammar_threads.h"

#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "tests/fakes/awaited_statuses.h"
#include "tests/fakes/fake_clock.h"

namespace baton {
namespace {

using Told = AwaitedStatuses::Told;
using Settled = std::vector<Told>;

const absl::Status kOk = absl::OkStatus();
const absl::Status kOverdue = absl::InvalidArgumentError("");
const absl::Status kRefused = absl::UnavailableError("");

// Lets time pass until as many tasks are settled.
Settled Pass(FakeClock& clock, AwaitedStatuses& outcomes, size_t count) {
  clock.Advance(std::chrono::seconds(11));
  return outcomes.Wait(count);
}

class GrammarThreadsTest : public testing::Test {
 protected:
  FakeClock clock_;
  AwaitedStatuses outcomes_;
  std::latch end_{1};
  GrammarThreads threads_{{.name = "grammar",
                           .thread_count = 1,
                           .queue_length_max = 2,
                           .task_time_max = std::chrono::seconds(10),
                           .overdue_max = 1,
                           .clock = clock_}};

  // Occupies the only thread, which has begun with it on return.
  void RunEndless(const std::string& task) {
    std::latch begun(1);
    threads_.Run(
        [&] {
          begun.count_down();
          end_.wait();
        },
        outcomes_.Of(task));
    begun.wait();
  }
};

TEST_F(GrammarThreadsTest, SettlesWhatItComputed) {
  int result = 0;
  threads_.Run([&] { result = 7; }, outcomes_.Of("a"));
  EXPECT_EQ(outcomes_.Wait(1), (Settled{Told{"a", kOk}}));
  EXPECT_EQ(result, 7);
  end_.count_down();
}

TEST_F(GrammarThreadsTest, AnOverdueTaskIsGivenUpAndTheOthersGoOn) {
  RunEndless("endless");
  threads_.Run([] {}, outcomes_.Of("next"));
  EXPECT_EQ(Pass(clock_, outcomes_, 2), (Settled{Told{"endless", kOverdue}, Told{"next", kOk}}));
  threads_.Run([] {}, outcomes_.Of("third"));
  EXPECT_EQ(outcomes_.Wait(3).back(), (Told{"third", kOk}));
  end_.count_down();
}

TEST_F(GrammarThreadsTest, RefusesWhileAllPlacesAreTakenAndRecovers) {
  RunEndless("first");
  Pass(clock_, outcomes_, 1);
  RunEndless("second");
  threads_.Run([] {}, outcomes_.Of("third"));
  EXPECT_EQ(Pass(clock_, outcomes_, 3).back(), (Told{"third", kRefused}));
  end_.count_down();  // both return: their places are free again
  for (size_t count = 4;; ++count) {
    threads_.Run([] {}, outcomes_.Of("next"));
    clock_.Advance(std::chrono::seconds(1));
    const Told outcome = outcomes_.Wait(count).back();
    if (outcome == Told{"next", kOk}) break;
    ASSERT_EQ(outcome, (Told{"next", kRefused}));
  }
}

TEST_F(GrammarThreadsTest, RefusesWhatDoesNotFitInTheQueue) {
  RunEndless("endless");
  for (const char* task : {"a", "b", "c"}) threads_.Run([] {}, outcomes_.Of(task));
  EXPECT_EQ(outcomes_.Wait(1), (Settled{Told{"c", kRefused}}));
  end_.count_down();
  EXPECT_EQ(outcomes_.Wait(4),
            (Settled{Told{"c", kRefused}, Told{"endless", kOk}, Told{"a", kOk}, Told{"b", kOk}}));
}

TEST_F(GrammarThreadsTest, SettlesWhatWaitsWhenItStops) {
  RunEndless("endless");
  threads_.Run([] {}, outcomes_.Of("waits"));
  std::thread stopper([&] { threads_.Stop(); });
  EXPECT_EQ(outcomes_.Wait(1), (Settled{Told{"waits", kRefused}}));
  end_.count_down();
  EXPECT_EQ(outcomes_.Wait(2).back(), (Told{"endless", kOk}));
  stopper.join();
  threads_.Run([] {}, outcomes_.Of("late"));
  EXPECT_EQ(outcomes_.Wait(3).back(), (Told{"late", kRefused}));
}

}  // namespace
}  // namespace baton
