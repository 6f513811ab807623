#include "common/constraint/grammar_threads.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/fakes/fake_clock.h"

namespace baton {
namespace {

// What became of tasks, in the order in which they were settled.
class Outcomes {
 public:
  GrammarThreads::Settle Of(const std::string& task) {
    return [this, task](const absl::Status& status) {
      std::lock_guard lock(mutex_);
      settled_.push_back(task + ":" + std::string(absl::StatusCodeToString(status.code())));
      changed_.notify_all();
    };
  }
  std::vector<std::string> Wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return settled_.size() >= count; });
    return settled_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> settled_;
};

using Settled = std::vector<std::string>;

// Lets time pass until as many tasks are settled.
Settled Pass(FakeClock& clock, Outcomes& outcomes, size_t count) {
  clock.Advance(std::chrono::seconds(11));
  return outcomes.Wait(count);
}

class GrammarThreadsTest : public testing::Test {
 protected:
  FakeClock clock_;
  Outcomes outcomes_;
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
  EXPECT_EQ(outcomes_.Wait(1), Settled{"a:OK"});
  EXPECT_EQ(result, 7);
  end_.count_down();
}

TEST_F(GrammarThreadsTest, AnOverdueTaskIsGivenUpAndTheOthersGoOn) {
  RunEndless("endless");
  threads_.Run([] {}, outcomes_.Of("next"));
  EXPECT_EQ(Pass(clock_, outcomes_, 2), (Settled{"endless:INVALID_ARGUMENT", "next:OK"}));
  threads_.Run([] {}, outcomes_.Of("third"));
  EXPECT_EQ(outcomes_.Wait(3).back(), "third:OK");
  end_.count_down();
}

TEST_F(GrammarThreadsTest, RefusesWhileAllPlacesAreTakenAndRecovers) {
  RunEndless("first");
  Pass(clock_, outcomes_, 1);
  RunEndless("second");
  threads_.Run([] {}, outcomes_.Of("third"));
  EXPECT_EQ(Pass(clock_, outcomes_, 3).back(), "third:UNAVAILABLE");
  end_.count_down();  // both return: their places are free again
  for (size_t count = 4;; ++count) {
    threads_.Run([] {}, outcomes_.Of("next"));
    clock_.Advance(std::chrono::seconds(1));
    const std::string outcome = outcomes_.Wait(count).back();
    if (outcome == "next:OK") break;
    ASSERT_EQ(outcome, "next:UNAVAILABLE");
  }
}

TEST_F(GrammarThreadsTest, RefusesWhatDoesNotFitInTheQueue) {
  RunEndless("endless");
  for (const char* task : {"a", "b", "c"}) threads_.Run([] {}, outcomes_.Of(task));
  EXPECT_EQ(outcomes_.Wait(1), Settled{"c:UNAVAILABLE"});
  end_.count_down();
  EXPECT_EQ(outcomes_.Wait(4), (Settled{"c:UNAVAILABLE", "endless:OK", "a:OK", "b:OK"}));
}

TEST_F(GrammarThreadsTest, SettlesWhatWaitsWhenItStops) {
  RunEndless("endless");
  threads_.Run([] {}, outcomes_.Of("waits"));
  std::thread stopper([&] { threads_.Stop(); });
  EXPECT_EQ(outcomes_.Wait(1), Settled{"waits:UNAVAILABLE"});
  end_.count_down();
  EXPECT_EQ(outcomes_.Wait(2).back(), "endless:OK");
  stopper.join();
  threads_.Run([] {}, outcomes_.Of("late"));
  EXPECT_EQ(outcomes_.Wait(3).back(), "late:UNAVAILABLE");
}

}  // namespace
}  // namespace baton
