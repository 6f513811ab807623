#include "worker/service/event_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "common/base/status.h"

namespace baton::worker {
namespace {

using ::testing::ElementsAre;

StepEvents::Token TokenOf(const GenerationRequest& request, int32_t choice, TokenId token) {
  StepEvents::Token event{.request = &request, .choice = choice, .sampled = {}};
  event.sampled.token = token;
  event.sampled.logprob = {.sampled = -0.5f, .rank = 2, .top = {{9, -0.1f}, {token, -0.5f}}};
  return event;
}

TEST(EventMessages, AFrameHoldsOneStep) {
  GenerationRequest request;
  request.call = 12;
  request.prompt = {1, 2, 3};
  request.params.seed = 4;
  request.params.logprobs = 2;
  StepEvents events;
  events.accepted.push_back({&request, 2});
  events.tokens.push_back(TokenOf(request, 1, 30));
  events.finished.push_back({&request, 1, FinishReason::kStop, 30, 7});
  events.failed.push_back({&request, WithField(InvalidArgument("bad"), "n")});
  const std::vector<v1::SessionFrame> frames = FramesOf(events, Epoch(6));
  ASSERT_EQ(frames.size(), 1u);
  const v1::SessionFrame& frame = frames.front();
  EXPECT_EQ(frame.epoch(), 6u);
  EXPECT_EQ(frame.accepted(0).accepted().cached_tokens(), 2u);
  EXPECT_EQ(frame.accepted(0).accepted().seed(), 4u);
  const v1::Tokens& tokens = frame.tokens(0).tokens();
  EXPECT_THAT(tokens.ids(), ElementsAre(30));
  EXPECT_THAT(tokens.logprobs().top_ids(), ElementsAre(9, 30));
  EXPECT_THAT(tokens.logprobs().rank(), ElementsAre(2));
  EXPECT_EQ(frame.finished(0).finished().stop_token(), 30u);
  EXPECT_EQ(frame.failed(0).field(), "n");
  EXPECT_EQ(frame.failed(0).code(), 3);
}

TEST(EventMessages, FramesMergeUntilTheyAreLarge) {
  GenerationRequest request;
  StepEvents events;
  for (int i = 0; i < 3000; ++i) events.tokens.push_back(TokenOf(request, 0, 1));
  v1::SessionFrame large = FramesOf(events, Epoch(1)).front();
  v1::SessionFrame more = large;
  EXPECT_FALSE(MergeFrames(large, more));
  v1::SessionFrame small;
  EXPECT_TRUE(MergeFrames(small, more));
  EXPECT_EQ(small.tokens_size(), 3000);
}

TEST(EventMessages, ManyLogprobsAreSpreadOverFrames) {
  GenerationRequest request;
  request.params.logprobs = 600'000;
  StepEvents events;
  for (int i = 0; i < 3; ++i) {
    events.tokens.push_back(TokenOf(request, i, 1));
    events.tokens.back().sampled.logprob.top.resize(600'000);
  }
  events.finished.push_back({&request, 0, FinishReason::kLength, std::nullopt, 7});
  std::vector<v1::SessionFrame> frames = FramesOf(events, Epoch(1));
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].tokens_size(), 2);
  EXPECT_EQ(frames[1].tokens_size(), 1);
  EXPECT_EQ(frames[1].finished_size(), 1);
  EXPECT_FALSE(MergeFrames(frames[0], frames[1]));
  EXPECT_THAT(FramesOf(StepEvents(), Epoch(1)), ::testing::IsEmpty());
}

TEST(EventMessages, EventsMergeWithinAChoice) {
  GenerationRequest request;
  request.params.logprobs = 2;
  v1::GenerateEvent first, second, other;
  AddToken(TokenOf(request, 0, 5), *first.mutable_tokens());
  AddToken(TokenOf(request, 0, 6), *second.mutable_tokens());
  AddToken(TokenOf(request, 1, 7), *other.mutable_tokens());
  EXPECT_TRUE(MergeEvents(first, second));
  EXPECT_THAT(first.tokens().ids(), ElementsAre(5, 6));
  EXPECT_EQ(first.tokens().logprobs().top_count(), 2u);
  EXPECT_EQ(first.tokens().logprobs().top_size(), 4);
  EXPECT_FALSE(MergeEvents(first, other));
}

}  // namespace
}  // namespace baton::worker
