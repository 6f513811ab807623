#include "frontend/admission/concurrency_limiter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/status.h"

namespace baton::frontend {
namespace {

using Permit = ConcurrencyLimiter::Permit;

TEST(ConcurrencyLimiterTest, RefusesOverItsCapacityAndRecovers) {
  ConcurrencyLimiter limiter({.in_flight_max = 2, .retry_after = std::chrono::seconds(3)});
  absl::StatusOr<Permit> first = limiter.TryEnter("");
  absl::StatusOr<Permit> second = limiter.TryEnter("");
  ASSERT_TRUE(first.ok() && second.ok());
  const absl::Status refused = limiter.TryEnter("").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryAfter(refused), std::chrono::seconds(3));
  EXPECT_EQ(limiter.in_flight(), 2u);
  { const Permit ended = *std::move(first); }
  EXPECT_EQ(limiter.in_flight(), 1u);
  EXPECT_TRUE(limiter.TryEnter("").ok());
}

TEST(ConcurrencyLimiterTest, RefusesACallerOverItsShareOnly) {
  ConcurrencyLimiter limiter({.in_flight_max = 10, .in_flight_per_caller_max = 1});
  absl::StatusOr<Permit> a = limiter.TryEnter("a");
  ASSERT_TRUE(a.ok());
  EXPECT_EQ(limiter.TryEnter("a").status().code(), absl::StatusCode::kResourceExhausted);
  absl::StatusOr<Permit> b = limiter.TryEnter("b");
  EXPECT_TRUE(b.ok());
  EXPECT_TRUE(limiter.TryEnter("").ok());
  *a = *std::move(b);  // ends a's, keeps b's
  EXPECT_TRUE(limiter.TryEnter("a").ok());
  EXPECT_FALSE(limiter.TryEnter("b").ok());
  EXPECT_EQ(limiter.in_flight(), 1u);
}

TEST(ConcurrencyLimiterTest, WithoutLimitsEverythingEnters) {
  ConcurrencyLimiter limiter({});
  std::vector<Permit> permits;
  for (int i = 0; i < 1000; ++i) permits.push_back(*limiter.TryEnter("a"));
  EXPECT_EQ(limiter.in_flight(), 1000u);
}

TEST(ConcurrencyLimiterTest, APermitMayOutliveTheLimiter) {
  std::optional<Permit> permit;
  {
    ConcurrencyLimiter limiter({.in_flight_max = 1});
    permit.emplace(*limiter.TryEnter("a"));
  }
  permit.reset();
}

TEST(ConcurrencyLimiterTest, NeverExceedsItsLimitsUnderContention) {
  ConcurrencyLimiter limiter({.in_flight_max = 3, .in_flight_per_caller_max = 2});
  std::atomic<int> inside{0};
  std::atomic<bool> exceeded{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        absl::StatusOr<Permit> permit = limiter.TryEnter(t % 2 == 0 ? "even" : "odd");
        if (!permit.ok()) continue;
        if (++inside > 3) exceeded = true;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(limiter.in_flight(), 0u);
}

}  // namespace
}  // namespace baton::frontend
