#include "frontend/api/constraint_validator.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

class ConstraintValidatorTest : public testing::Test {
 protected:
  absl::Status Check(const ConstraintSpec& spec) {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<absl::Status> answer;
    validator_.Check(model_, spec, [&](const absl::Status& status) {
      std::lock_guard lock(mutex);
      answer = status;
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return answer.has_value(); });
    return *answer;
  }

  std::shared_ptr<const ModelContext> model_ = MakeByteModel();
  ConstraintValidator validator_{{.thread_count = 2, .waiting_max = 4}};
};

TEST_F(ConstraintValidatorTest, GoodOnesPassAndAreKnownThen) {
  EXPECT_TRUE(Check(ConstraintSpec::Regex("a+")).ok());
  EXPECT_TRUE(Check(ConstraintSpec::Regex("a+")).ok());
  EXPECT_TRUE(Check(ConstraintSpec::Grammar("root ::= <|start|> \"x\"")).ok());
  validator_.Stop();
  EXPECT_TRUE(Check(ConstraintSpec::Regex("a+")).ok()) << "known without a thread";
  EXPECT_TRUE(absl::IsUnavailable(Check(ConstraintSpec::Regex("b+"))));
}

TEST_F(ConstraintValidatorTest, BadOnesAreRefused) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(absl::IsInvalidArgument(Check(ConstraintSpec::Regex("("))));
    EXPECT_TRUE(absl::IsInvalidArgument(Check(ConstraintSpec::Grammar("root ::= <|none|>"))));
    EXPECT_TRUE(absl::IsInvalidArgument(Check(ConstraintSpec::JsonSchema(R"({"contains":{}})"))));
  }
}

TEST_F(ConstraintValidatorTest, EverybodyIsAnsweredWhenTooManyWaitOrItStops) {
  std::mutex mutex;
  std::vector<absl::Status> answers;
  for (int i = 0; i < 50; ++i) {
    validator_.Check(model_, ConstraintSpec::Regex("x{" + std::to_string(i + 1) + "}"),
                     [&](const absl::Status& status) {
                       std::lock_guard lock(mutex);
                       answers.push_back(status);
                     });
  }
  validator_.Stop();
  EXPECT_EQ(answers.size(), 50u);
  for (const absl::Status& status : answers) {
    EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
  }
}

TEST_F(ConstraintValidatorTest, ManyThatAskForTheSameNeedOnePlace) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<absl::Status> answers;
  for (int i = 0; i < 500; ++i) {
    validator_.Check(model_, ConstraintSpec::Regex("(abc|abd){1,100}"),
                     [&](const absl::Status& status) {
                       std::lock_guard lock(mutex);
                       answers.push_back(status);
                       changed.notify_one();
                     });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return answers.size() == 500; });
  for (const absl::Status& status : answers) EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace baton::frontend
