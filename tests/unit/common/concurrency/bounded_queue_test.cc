#include "common/concurrency/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "common/concurrency/owned_thread.h"
#include "tests/fakes/fake_clock.h"

namespace baton {
namespace {

TEST(BoundedQueueTest, KeepsOrderAndRefusesBeyondCapacity) {
  BoundedQueue<int> queue(2);
  EXPECT_EQ(queue.TryPush(1), PushResult::kPushed);
  EXPECT_EQ(queue.TryPush(2), PushResult::kPushed);
  EXPECT_EQ(queue.TryPush(3), PushResult::kFull);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.TryPush(4), PushResult::kPushed);
  EXPECT_EQ(queue.PopSome(10), (std::vector<int>{2, 4}));
  EXPECT_EQ(queue.TryPop(), std::nullopt);
}

TEST(BoundedQueueTest, CloseDrainsThenEnds) {
  BoundedQueue<std::unique_ptr<int>> queue(4);
  EXPECT_EQ(queue.TryPush(std::make_unique<int>(7)), PushResult::kPushed);
  queue.Close();
  queue.Close();
  EXPECT_TRUE(queue.closed());
  EXPECT_EQ(queue.TryPush(std::make_unique<int>(8)), PushResult::kClosed);
  EXPECT_EQ(queue.Push(std::make_unique<int>(8)), PushResult::kClosed);
  std::optional<std::unique_ptr<int>> item = queue.Pop();
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(**item, 7);
  EXPECT_FALSE(queue.Pop().has_value());
  EXPECT_TRUE(queue.WaitAndPopSome(3).empty());
}

TEST(BoundedQueueTest, PopUntilGivesUpAtTheDeadlineOfTheClock) {
  FakeClock clock;
  BoundedQueue<int> queue(1);
  const MonotonicTime deadline = clock.Now() + std::chrono::seconds(5);
  clock.Advance(std::chrono::seconds(5));
  EXPECT_EQ(queue.PopUntil(clock, deadline), std::nullopt);
  EXPECT_FALSE(queue.closed());
  EXPECT_EQ(queue.TryPush(1), PushResult::kPushed);
  EXPECT_EQ(queue.PopUntil(clock, deadline), 1);
}

TEST(BoundedQueueTest, CloseWakesAWaitingProducerAndConsumer) {
  BoundedQueue<int> full(1);
  BoundedQueue<int> empty(1);
  ASSERT_EQ(full.TryPush(1), PushResult::kPushed);
  std::atomic<bool> refused{false};
  std::atomic<bool> ended{false};
  {
    OwnedThread producer("producer",
                         [&](std::stop_token) { refused = full.Push(2) == PushResult::kClosed; });
    OwnedThread consumer("consumer", [&](std::stop_token) { ended = !empty.Pop().has_value(); });
    full.Close();
    empty.Close();
  }
  EXPECT_TRUE(refused);
  EXPECT_TRUE(ended);
}

// Every item that producers put in comes out exactly once, whatever the interleaving.
TEST(BoundedQueueTest, LosesAndDoublesNothingBetweenThreads) {
  constexpr int kProducers = 3;
  constexpr int kItems = 2000;
  BoundedQueue<int> queue(16);
  std::vector<std::atomic<int>> seen(kProducers * kItems);
  {
    std::vector<std::unique_ptr<OwnedThread>> consumers;
    for (int c = 0; c < 2; ++c) {
      consumers.push_back(std::make_unique<OwnedThread>("consumer", [&](std::stop_token) {
        while (true) {
          const std::vector<int> items = queue.WaitAndPopSome(5);
          if (items.empty()) return;
          for (int item : items) ++seen[static_cast<size_t>(item)];
        }
      }));
    }
    {
      std::vector<std::unique_ptr<OwnedThread>> producers;
      for (int p = 0; p < kProducers; ++p) {
        producers.push_back(std::make_unique<OwnedThread>("producer", [&, p](std::stop_token) {
          for (int i = 0; i < kItems; ++i) {
            ASSERT_EQ(queue.Push(p * kItems + i), PushResult::kPushed);
          }
        }));
      }
    }  // joins the producers
    queue.Close();
  }
  for (const std::atomic<int>& count : seen) ASSERT_EQ(count.load(), 1);
}

TEST(BoundedQueueDeathTest, CapacityIsMandatory) {
  EXPECT_DEATH(BoundedQueue<int>(0), "capacity=0");
}

}  // namespace
}  // namespace baton
