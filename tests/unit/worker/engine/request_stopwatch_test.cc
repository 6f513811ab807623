#include "worker/engine/request_stopwatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::worker {
namespace {

using std::chrono::seconds;

class RequestStopwatchTest : public ::testing::Test {
 protected:
  RequestStopwatchTest() {
    request_.prompt = {1, 2, 3, 4, 5};
    request_.choices = 2;
    request_.choice_offset = 3;
    request_.submitted_at = start_ + seconds(1);
  }
  StepEvents::Token TokenOf(int32_t choice) const {
    return {.request = &request_, .choice = choice, .sampled = {}};
  }

  const MonotonicTime start_{};
  GenerationRequest request_;
  RequestStopwatch stopwatch_;
};

TEST_F(RequestStopwatchTest, PartsOfAChoicesLifeAreTold) {
  StepEvents admitted;
  admitted.accepted.push_back({&request_, 2});
  stopwatch_.OnStep(admitted, start_ + seconds(3), start_ + seconds(4));
  StepEvents first;
  first.tokens = {TokenOf(3), TokenOf(4)};
  stopwatch_.OnStep(first, start_ + seconds(4), start_ + seconds(7));
  StepEvents last;
  last.tokens = {TokenOf(4)};
  last.finished = {{&request_, 4, FinishReason::kLength, std::nullopt, 2},
                   {&request_, 3, FinishReason::kCancelled, std::nullopt, 1}};
  last.ended = {&request_};
  stopwatch_.OnStep(last, start_ + seconds(7), start_ + seconds(12));
  const std::vector<ChoiceTimes> finished = stopwatch_.TakeFinished();
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].queue_seconds, 2);
  EXPECT_EQ(finished[0].prefill_seconds, 4);
  EXPECT_EQ(finished[0].decode_seconds, 5);
  EXPECT_EQ(finished[0].computed_prompt_tokens, 3);
  EXPECT_TRUE(stopwatch_.TakeFinished().empty());
}

TEST_F(RequestStopwatchTest, WhatWasNeverAdmittedIsNotTold) {
  StepEvents failed;
  failed.finished = {{&request_, 3, FinishReason::kLength, std::nullopt, 0}};
  failed.ended = {&request_};
  stopwatch_.OnStep(failed, start_, start_ + seconds(1));
  EXPECT_TRUE(stopwatch_.TakeFinished().empty());
}

}  // namespace
}  // namespace baton::worker
