#include "common/constraint/grammar_answers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <latch>

#include "common/base/status.h"
#include "tests/fakes/awaited_statuses.h"
#include "tests/fakes/fake_clock.h"

namespace baton {
namespace {

class GrammarAnswersTest : public testing::Test {
 protected:
  using Answers = GrammarAnswers<absl::Status>;

  // Counts how often it computes.
  Answers::Compute Count(absl::Status answer = absl::OkStatus()) {
    return [this, answer] {
      ++computed_;
      return answer;
    };
  }

  // What `key` comes to, asked for now.
  absl::Status Get(const std::string& key, Answers::Compute compute) {
    answers_.Get(key, std::move(compute), told_.Of(key));
    return told_.Wait(++asked_).back().status;
  }

  // Occupies the only thread, which has begun with it on return.
  void GetEndless(const std::string& key) {
    std::latch begun(1);
    answers_.Get(
        key,
        [&] {
          begun.count_down();
          end_.wait();
          return absl::OkStatus();
        },
        told_.Of(key));
    ++asked_;
    begun.wait();
  }

  FakeClock clock_;
  AwaitedStatuses told_;
  size_t asked_ = 0;
  int computed_ = 0;  // on one thread at a time, each before it is told
  std::latch end_{1};
  Answers answers_{2,
                   {.name = "grammar",
                    .thread_count = 1,
                    .queue_length_max = 2,
                    .task_time_max = std::chrono::seconds(10),
                    .clock = clock_}};
};

TEST_F(GrammarAnswersTest, AGoodAnswerIsComputedOnce) {
  EXPECT_EQ(answers_.Find("a"), std::nullopt);
  EXPECT_TRUE(Get("a", Count()).ok());
  EXPECT_TRUE(Get("a", Count()).ok());
  EXPECT_EQ(computed_, 1);
  EXPECT_TRUE(answers_.Find("a").has_value());
}

TEST_F(GrammarAnswersTest, AQuickRefusalIsForgotten) {
  for (int i = 1; i <= 2; ++i) {
    EXPECT_TRUE(absl::IsInvalidArgument(Get("a", Count(InvalidArgument("bad")))));
    EXPECT_EQ(computed_, i);
  }
  EXPECT_EQ(answers_.Find("a"), std::nullopt);
}

TEST_F(GrammarAnswersTest, WhatTakesTooLongIsRememberedAsRefused) {
  GetEndless("endless");
  clock_.Advance(std::chrono::seconds(11));
  EXPECT_TRUE(absl::IsInvalidArgument(told_.Wait(1)[0].status));
  EXPECT_TRUE(absl::IsInvalidArgument(answers_.Find("endless").value()));
  EXPECT_TRUE(absl::IsInvalidArgument(Get("endless", Count())));
  EXPECT_EQ(computed_, 0);
  end_.count_down();
}

TEST_F(GrammarAnswersTest, TheLatestAreKept) {
  for (const char* key : {"a", "b"}) EXPECT_TRUE(Get(key, Count()).ok());
  EXPECT_TRUE(answers_.Find("a").has_value());  // used after b
  EXPECT_TRUE(Get("c", Count()).ok());
  EXPECT_TRUE(answers_.Find("a").has_value());
  EXPECT_FALSE(answers_.Find("b").has_value());
  EXPECT_TRUE(answers_.Find("c").has_value());
}

TEST_F(GrammarAnswersTest, ThoseWhoAskForTheSameTakeOnePlace) {
  GetEndless("endless");
  for (int i = 0; i < 100; ++i) answers_.Get("a", Count(), told_.Of("a"));
  for (int i = 0; i < 100; ++i) answers_.Get("endless", Count(), told_.Of("endless"));
  answers_.Get("b", Count(), told_.Of("b"));
  answers_.Get("c", Count(), told_.Of("c"));  // the third that waits
  EXPECT_EQ(told_.Wait(1)[0], (AwaitedStatuses::Told{"c", absl::UnavailableError("")}));
  EXPECT_EQ(answers_.Find("c"), std::nullopt);
  end_.count_down();
  for (const auto& [who, status] : told_.Wait(203)) EXPECT_EQ(status.ok(), who != "c") << who;
  EXPECT_EQ(computed_, 2) << "a and b";
}

TEST_F(GrammarAnswersTest, StopRefusesWhatIsNotKnown) {
  EXPECT_TRUE(Get("a", Count()).ok());
  answers_.Stop();
  EXPECT_TRUE(answers_.Find("a").value().ok());
  EXPECT_TRUE(absl::IsUnavailable(Get("b", Count())));
}

}  // namespace
}  // namespace baton
