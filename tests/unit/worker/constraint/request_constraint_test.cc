#include "worker/constraint/request_constraint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/constraint/constraint_rig.h"

namespace baton::worker {
namespace {

using State = OutputConstraint::State;

class RequestConstraintTest : public testing::Test {
 protected:
  std::shared_ptr<RequestConstraint> Make(ConstraintSpec spec, int32_t choices = 1) {
    auto grammar = rig_.Compile(spec);
    BATON_CHECK(grammar.ok()) << grammar.status().ToString();
    auto constraint = std::make_shared<RequestConstraint>(std::move(spec), choices);
    constraint->Adopt(*grammar, rig_.vocabulary());
    return constraint;
  }

  static OutputConstraint::View Step(OutputConstraint& choice, std::vector<TokenId> output) {
    if (choice.Begin(output)) choice.Advance();
    return choice.Look(output.size());
  }

  static bool Allows(const OutputConstraint::View& view, TokenId token) {
    return (view.mask[token / 32] >> (token % 32) & 1) != 0;
  }

  ConstraintRig rig_;
};

TEST_F(RequestConstraintTest, AMaskIsPendingUntilItIsComputed) {
  const auto constraint = Make(ConstraintSpec::Regex("ab"));
  OutputConstraint& choice = constraint->choice(0);
  EXPECT_EQ(choice.Look(0).state, State::kPending);
  EXPECT_TRUE(choice.Begin({}));
  EXPECT_FALSE(choice.Begin({})) << "it is under way";
  EXPECT_EQ(choice.Look(0).state, State::kPending);
  choice.Advance();
  ASSERT_EQ(choice.Look(0).state, State::kReady);
  EXPECT_TRUE(Allows(choice.Look(0), 'a'));
  EXPECT_FALSE(Allows(choice.Look(0), 'b'));
  EXPECT_EQ(choice.Look(1).state, State::kPending);
}

TEST_F(RequestConstraintTest, ChoicesGoTheirOwnWays) {
  const auto constraint = Make(ConstraintSpec::Regex("a|bc"), 2);
  EXPECT_TRUE(Allows(Step(constraint->choice(0), {'a'}), kByteEos));
  EXPECT_TRUE(Allows(Step(constraint->choice(1), {'b'}), 'c'));
  EXPECT_FALSE(Allows(Step(constraint->choice(1), {'b'}), kByteEos));
}

TEST_F(RequestConstraintTest, StateIsAFunctionOfTheOutput) {
  const auto constraint = Make(ConstraintSpec::Regex("[a-c]{5}"), 2);
  Step(constraint->choice(0), {});
  Step(constraint->choice(0), {'a'});
  ASSERT_TRUE(constraint->choice(1).Resume({'a', 'b', 'c'}).ok());
  for (int i : {0, 1}) {
    EXPECT_FALSE(Allows(Step(constraint->choice(i), {'a', 'b', 'c', 'a'}), kByteEos));
    EXPECT_TRUE(Allows(Step(constraint->choice(i), {'a', 'b', 'c', 'a', 'a'}), kByteEos));
  }
  EXPECT_TRUE(constraint->IsEnd(kByteEos));
  EXPECT_FALSE(constraint->IsEnd('a'));
}

TEST_F(RequestConstraintTest, BeginsBehindTheFirstMarker) {
  ConstraintSpec spec = ConstraintSpec::Regex("ab");
  spec.start_after = {{kByteStart}, {'<', '>'}};
  const auto constraint = Make(spec, 3);
  OutputConstraint::View view = Step(constraint->choice(0), {});
  EXPECT_TRUE(Allows(view, 'z'));
  EXPECT_TRUE(Allows(view, kByteStart));
  EXPECT_FALSE(Allows(view, kByteEos)) << "the constraint has yet to begin";
  view = Step(constraint->choice(0), {'z', kByteStart});
  EXPECT_TRUE(Allows(view, 'a'));
  EXPECT_FALSE(Allows(view, 'z'));
  EXPECT_TRUE(Allows(Step(constraint->choice(1), {'<', '<', '>', 'a'}), 'b'));
  ASSERT_TRUE(constraint->choice(2).Resume({'q', '<'}).ok());
  EXPECT_TRUE(Allows(Step(constraint->choice(2), {'q', '<', '>'}), 'a'));
}

TEST_F(RequestConstraintTest, WhatDoesNotFitFailsForGood) {
  const auto constraint = Make(ConstraintSpec::Regex("ab"), 2);
  const OutputConstraint::View view = Step(constraint->choice(0), {'x'});
  EXPECT_EQ(view.state, State::kFailed);
  EXPECT_TRUE(absl::IsInvalidArgument(view.status));
  EXPECT_EQ(Step(constraint->choice(0), {'x', 'y'}).state, State::kFailed);
  EXPECT_TRUE(absl::IsInvalidArgument(constraint->choice(1).Resume({'b'})));
}

}  // namespace
}  // namespace baton::worker
