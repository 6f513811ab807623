#include "frontend/generation/constraint_validator.h"

#include <gtest/gtest.h>

#include "tests/fakes/awaited_statuses.h"
#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

class ConstraintValidatorTest : public testing::Test {
 protected:
  absl::Status Check(const ConstraintSpec& spec) {
    AwaitedStatuses told;
    validator_.Check(model_, spec, told.Of());
    return told.Wait(1)[0].status;
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
  AwaitedStatuses told;
  for (int i = 0; i < 50; ++i) {
    validator_.Check(model_, ConstraintSpec::Regex("x{" + std::to_string(i + 1) + "}"), told.Of());
  }
  validator_.Stop();
  for (const auto& [who, status] : told.Wait(50)) {
    EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
  }
}

TEST_F(ConstraintValidatorTest, ManyThatAskForTheSameNeedOnePlace) {
  AwaitedStatuses told;
  for (int i = 0; i < 500; ++i) {
    validator_.Check(model_, ConstraintSpec::Regex("(abc|abd){1,100}"), told.Of());
  }
  for (const auto& [who, status] : told.Wait(500)) EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace baton::frontend
