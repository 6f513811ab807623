#include "common/rpc/write_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "common/base/status.h"
#include "common/rpc/backoff.h"
#include "common/rpc/status_codec.h"

namespace baton {
namespace {

using std::chrono::milliseconds;

TEST(WriteQueueTest, OneWriteIsOutstandingAndOrderIsKept) {
  WriteQueue<int> queue(8);
  auto [result, next] = queue.Push(1);
  EXPECT_EQ(result, PushResult::kPushed);
  ASSERT_NE(next.write, nullptr);
  EXPECT_EQ(*next.write, 1);
  EXPECT_EQ(queue.Push(2).next.write, nullptr);
  EXPECT_EQ(queue.Push(3).next.write, nullptr);
  next = queue.OnWriteDone(true);
  EXPECT_EQ(*next.write, 2);
  next = queue.OnWriteDone(true);
  EXPECT_EQ(*next.write, 3);
  next = queue.OnWriteDone(true);
  EXPECT_EQ(next.write, nullptr);
  EXPECT_FALSE(next.end);
  EXPECT_FALSE(queue.writing());
}

TEST(WriteQueueTest, AFullQueueRefusesAndStaysAsItIs) {
  WriteQueue<int> queue(2);
  ASSERT_EQ(queue.Push(1).result, PushResult::kPushed);  // in flight, not counted
  ASSERT_EQ(queue.Push(2).result, PushResult::kPushed);
  ASSERT_EQ(queue.Push(3).result, PushResult::kPushed);
  EXPECT_EQ(queue.Push(4).result, PushResult::kFull);
  EXPECT_EQ(queue.waiting_count(), 2u);
  EXPECT_EQ(*queue.OnWriteDone(true).write, 2);
  EXPECT_EQ(queue.Push(5).result, PushResult::kPushed);
}

TEST(WriteQueueTest, MergesIntoWhatWaitsNeverIntoWhatIsInFlight) {
  WriteQueue<std::string> queue(1, [](std::string& last, std::string& next) {
    if (next == "stop") return false;
    last += next;
    return true;
  });
  EXPECT_EQ(*queue.Push("a").next.write, "a");
  EXPECT_EQ(queue.Push("b").result, PushResult::kPushed);
  EXPECT_EQ(queue.Push("c").result, PushResult::kPushed);
  EXPECT_EQ(queue.Push("stop").result, PushResult::kFull);
  EXPECT_EQ(*queue.OnWriteDone(true).write, "bc");
}

TEST(WriteQueueTest, CloseEndsOnceAfterWhatIsQueued) {
  WriteQueue<int> queue(4);
  ASSERT_NE(queue.Push(1).next.write, nullptr);
  ASSERT_EQ(queue.Push(2).result, PushResult::kPushed);
  EXPECT_FALSE(queue.Close().end);
  EXPECT_EQ(queue.Push(3).result, PushResult::kClosed);
  EXPECT_EQ(*queue.OnWriteDone(true).write, 2);
  EXPECT_TRUE(queue.OnWriteDone(true).end);
  EXPECT_FALSE(queue.Close().end);
  EXPECT_FALSE(queue.Abort().end);
}

TEST(WriteQueueTest, AbortDropsWhatWaitsAndEndsAfterTheOutstandingWrite) {
  WriteQueue<int> queue(4);
  ASSERT_NE(queue.Push(1).next.write, nullptr);
  ASSERT_EQ(queue.Push(2).result, PushResult::kPushed);
  EXPECT_FALSE(queue.Abort().end);
  const WriteQueue<int>::Next next = queue.OnWriteDone(true);
  EXPECT_EQ(next.write, nullptr);
  EXPECT_TRUE(next.end);

  WriteQueue<int> idle(4);
  EXPECT_TRUE(idle.Abort().end);
}

TEST(WriteQueueTest, AFailedWriteEnds) {
  WriteQueue<int> queue(4);
  ASSERT_NE(queue.Push(1).next.write, nullptr);
  ASSERT_EQ(queue.Push(2).result, PushResult::kPushed);
  EXPECT_TRUE(queue.OnWriteDone(false).end);
  EXPECT_EQ(queue.Push(3).result, PushResult::kClosed);
}

TEST(BackoffTest, GrowsToItsLimitWithinTheUpperHalf) {
  Backoff backoff({.first = milliseconds(50), .limit = milliseconds(400), .factor = 2}, 1);
  for (const int full_ms : {50, 100, 200, 400, 400, 400}) {
    const Duration wait = backoff.Next();
    EXPECT_GE(wait, milliseconds(full_ms) / 2);
    EXPECT_LE(wait, milliseconds(full_ms));
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(), milliseconds(50));
  for (int i = 0; i < 5000; ++i) EXPECT_LE(backoff.Next(), milliseconds(400));
}

TEST(StatusCodecTest, KeepsCodeMessageRetryTimeAndField) {
  const absl::Status status = WithField(
      WithRetryAfter(ResourceExhausted("queue is full"), milliseconds(1250)), "messages[2].role");
  const grpc::Status wire = ToGrpcStatus(status);
  EXPECT_EQ(wire.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(wire.error_message(), "queue is full");
  const absl::Status back = FromGrpcStatus(wire);
  EXPECT_EQ(back.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RetryAfter(back), milliseconds(1250));
  EXPECT_EQ(Field(back), "messages[2].role");
}

TEST(StatusCodecTest, OkPlainAndForeignStatuses) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK).ok());
  EXPECT_TRUE(ToGrpcStatus(NotFound("x")).error_details().empty());
  const absl::Status back =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::ABORTED, "stale", "\xff\xfe not a proto"));
  EXPECT_EQ(back.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ToGrpcStatus(Internal(std::string(5000, 'x'))).error_message().size(), 2048u);
}

}  // namespace
}  // namespace baton
