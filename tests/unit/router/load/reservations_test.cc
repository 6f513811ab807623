#include "router/load/reservations.h"

#include "gtest/gtest.h"
#include "tests/fakes/fake_clock.h"

namespace baton::router {
namespace {

constexpr Pending kCost = {.prefill_tokens = 100, .blocks = 2, .requests = 1};

class ReservationsTest : public testing::Test {
 protected:
  FakeClock clock_;
  Reservations reservations_{clock_, std::chrono::seconds(5), 17};
};

TEST_F(ReservationsTest, SumsPerWorkerUntilTheWorkerSaysSo) {
  const uint64_t first = reservations_.Add(1, kCost);
  const uint64_t second = reservations_.Add(1, kCost);
  reservations_.Add(2, kCost);
  EXPECT_EQ(first, 17u);
  EXPECT_NE(second, first);
  EXPECT_EQ(reservations_.PendingOf(1).prefill_tokens, 200u);
  EXPECT_EQ(reservations_.PendingOf(1).blocks, 4u);
  EXPECT_EQ(reservations_.PendingOf(1).requests, 2u);
  reservations_.Drop(first);
  reservations_.Drop(first);  // idempotent
  EXPECT_EQ(reservations_.PendingOf(1).requests, 1u);
  EXPECT_EQ(reservations_.PendingOf(2).requests, 1u);
  EXPECT_EQ(reservations_.PendingOf(3).requests, 0u);
}

TEST_F(ReservationsTest, ExpiresByAge) {
  reservations_.Add(1, kCost);
  clock_.Advance(std::chrono::seconds(3));
  const uint64_t late = reservations_.Add(1, kCost);
  clock_.Advance(std::chrono::seconds(3));
  reservations_.Expire();
  EXPECT_EQ(reservations_.PendingOf(1).requests, 1u);
  EXPECT_EQ(reservations_.expired_total(), 1u);
  reservations_.Drop(late);
  EXPECT_EQ(reservations_.PendingOf(1).prefill_tokens, 0u);
  clock_.Advance(std::chrono::seconds(60));
  reservations_.Expire();
  EXPECT_EQ(reservations_.expired_total(), 1u);  // the dropped one did not expire
}

TEST_F(ReservationsTest, AWorkerThatLeavesTakesItsOwn) {
  const uint64_t lease = reservations_.Add(1, kCost);
  reservations_.Add(2, kCost);
  reservations_.DropWorker(1);
  reservations_.Drop(lease);
  EXPECT_EQ(reservations_.PendingOf(1).requests, 0u);
  EXPECT_EQ(reservations_.PendingOf(2).requests, 1u);
}

TEST_F(ReservationsTest, TheOldestGivesWayAtTheBound) {
  for (size_t i = 0; i < Reservations::kReservationsMax + 10; ++i) reservations_.Add(1, kCost);
  EXPECT_EQ(reservations_.PendingOf(1).requests, Reservations::kReservationsMax);
  EXPECT_EQ(reservations_.expired_total(), 10u);
}

}  // namespace
}  // namespace baton::router
