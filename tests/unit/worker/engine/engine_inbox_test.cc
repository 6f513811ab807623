#include "worker/engine/engine_inbox.h"

#include <gtest/gtest.h>

#include <chrono>

#include "common/base/status.h"
#include "tests/fakes/fake_clock.h"

namespace baton::worker {
namespace {

GenerationRequest WithKey(uint64_t key, size_t prompt_tokens = 1) {
  GenerationRequest request;
  request.key = RequestKey(key);
  request.prompt.assign(prompt_tokens, 0);
  return request;
}

TEST(EngineInbox, RefusesBeyondItsLimitsAndTakesAgainWhenOneEnds) {
  EngineInbox inbox({.max_requests = 2, .max_prompt_tokens = 100});
  EXPECT_TRUE(inbox.Submit(WithKey(1, 60)).ok());
  const absl::Status tokens = inbox.Submit(WithKey(2, 41));
  EXPECT_TRUE(absl::IsUnavailable(tokens));
  EXPECT_TRUE(RetryAfter(tokens).has_value());
  EXPECT_TRUE(inbox.Submit(WithKey(2, 40)).ok());
  EXPECT_TRUE(absl::IsUnavailable(inbox.Submit(WithKey(3, 0))));
  EngineInbox::Mail mail;
  inbox.Take(false, mail);
  EXPECT_EQ(mail.submitted.size(), 2u);
  EXPECT_TRUE(absl::IsUnavailable(inbox.Submit(WithKey(3)))) << "taken, but alive";
  inbox.Ended(RequestKey(1));
  EXPECT_TRUE(inbox.Submit(WithKey(3)).ok());
}

TEST(EngineInbox, HeldRequestsLeavePlacesForTheOthers) {
  const auto held = [](uint64_t key) {
    GenerationRequest request = WithKey(key);
    request.held = true;
    return request;
  };
  EngineInbox inbox({.max_requests = 5, .max_held = 2, .max_prompt_tokens = 100});
  EXPECT_TRUE(inbox.Submit(held(1)).ok());
  EXPECT_TRUE(inbox.Submit(held(2)).ok());
  const absl::Status status = inbox.Submit(held(3));
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_TRUE(RetryAfter(status).has_value());
  EXPECT_TRUE(inbox.Submit(WithKey(3)).ok());
  inbox.Release(RequestKey(1));
  inbox.Release(RequestKey(1));
  EXPECT_TRUE(inbox.Submit(held(4)).ok());
  EXPECT_TRUE(absl::IsUnavailable(inbox.Submit(held(5))));
  inbox.Ended(RequestKey(2));
  EXPECT_TRUE(inbox.Submit(held(5)).ok());
  EXPECT_TRUE(absl::IsUnavailable(inbox.Submit(held(6))));
  inbox.Ended(RequestKey(1));  // released before
  EXPECT_TRUE(absl::IsUnavailable(inbox.Submit(held(6))));
}

TEST(EngineInbox, KeepsOneCancellationPerLivingRequest) {
  EngineInbox inbox({.max_requests = 4, .max_prompt_tokens = 100});
  inbox.Cancel(RequestKey(1), Cancelled("not there yet"));
  ASSERT_TRUE(inbox.Submit(WithKey(1)).ok());
  for (int i = 0; i < 5; ++i) inbox.Cancel(RequestKey(1), Cancelled("left"));
  EngineInbox::Mail mail;
  inbox.Take(false, mail);
  EXPECT_EQ(mail.cancelled.size(), 1u);
  inbox.Ended(RequestKey(1));
  inbox.Cancel(RequestKey(1), Cancelled("left"));
  inbox.Take(false, mail);
  EXPECT_TRUE(mail.cancelled.empty());
}

TEST(EngineInbox, TakesAsManyChoiceCancellationsAsThereAreChoices) {
  EngineInbox inbox({.max_requests = 4, .max_prompt_tokens = 100});
  inbox.CancelChoice(RequestKey(1), 0);
  GenerationRequest request = WithKey(1);
  request.choices = 3;
  ASSERT_TRUE(inbox.Submit(std::move(request)).ok());
  for (int i = 0; i < 50; ++i) inbox.CancelChoice(RequestKey(1), i);
  EngineInbox::Mail mail;
  inbox.Take(true, mail);
  EXPECT_EQ(mail.cancelled_choices.size(), 3u);
  inbox.Take(false, mail);
  EXPECT_TRUE(mail.cancelled_choices.empty());
}

TEST(EngineInbox, StopsAdmission) {
  EngineInbox inbox({.max_requests = 4, .max_prompt_tokens = 100});
  inbox.StopAdmission(Unavailable("draining"));
  EXPECT_EQ(inbox.Submit(WithKey(1)).message(), "draining");
  inbox.Close();
  EXPECT_TRUE(absl::IsUnavailable(inbox.Submit(WithKey(1))));
  EngineInbox::Mail mail;
  inbox.Take(true, mail);
  EXPECT_TRUE(mail.closed);
}

TEST(EngineInbox, WaitsUntilNoneIsAliveOrTheDeadline) {
  FakeClock clock;
  EngineInbox inbox({.max_requests = 4, .max_prompt_tokens = 100});
  EXPECT_TRUE(inbox.WaitUntilNoneAlive(clock, clock.Now()));
  ASSERT_TRUE(inbox.Submit(WithKey(1)).ok());
  EXPECT_FALSE(inbox.WaitUntilNoneAlive(clock, clock.Now()));
  inbox.Ended(RequestKey(1));
  EXPECT_TRUE(inbox.WaitUntilNoneAlive(clock, clock.Now() + std::chrono::seconds(1)));
}

}  // namespace
}  // namespace baton::worker
