#include "worker/constraint/constraint_compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/awaited_statuses.h"
#include "tests/unit/common/constraint/constraint_rig.h"

namespace baton::worker {
namespace {

class ConstraintCompilerTest : public testing::Test {
 protected:
  static std::shared_ptr<RequestConstraint> Make(const ConstraintSpec& spec) {
    return std::make_shared<RequestConstraint>(spec, 1);
  }

  ConstraintRig rig_;
  AwaitedStatuses answers_;
  ConstraintCompiler compiler_{rig_.tokenizer(),
                               {.vocabulary = {.size = kByteVocab, .end_ids = {kByteEos}},
                                .thread_count = 2,
                                .waiting_max = 64}};
};

TEST_F(ConstraintCompilerTest, KnowsAGrammarTheSecondTime) {
  const auto first = Make(ConstraintSpec::Regex("ab"));
  EXPECT_FALSE(compiler_.TryPrepare(*first));
  compiler_.Prepare(first, {'a'}, answers_.Of());
  EXPECT_TRUE(answers_.Wait(1)[0].status.ok());
  const auto second = Make(ConstraintSpec::Regex("ab"));
  EXPECT_TRUE(compiler_.TryPrepare(*second));
  EXPECT_EQ(&first->grammar(), &second->grammar());
  EXPECT_FALSE(compiler_.TryPrepare(*Make(ConstraintSpec::Regex("abc"))));
}

TEST_F(ConstraintCompilerTest, ManyWhoWantTheSameGetTheSame) {
  std::vector<std::shared_ptr<RequestConstraint>> constraints;
  for (int i = 0; i < 20; ++i) {
    constraints.push_back(Make(ConstraintSpec::JsonObject()));
    compiler_.Prepare(constraints.back(), {}, answers_.Of());
  }
  for (const auto& [who, status] : answers_.Wait(20)) EXPECT_TRUE(status.ok()) << status;
  for (const auto& constraint : constraints) {
    EXPECT_EQ(&constraint->grammar(), &constraints[0]->grammar());
  }
}

TEST_F(ConstraintCompilerTest, FailuresAreToldAndForgotten) {
  compiler_.Prepare(Make(ConstraintSpec::Regex("(")), {}, answers_.Of());
  compiler_.Prepare(Make(ConstraintSpec::Regex("ab")), {'x'}, answers_.Of());
  for (const auto& [who, status] : answers_.Wait(2)) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  }
  EXPECT_FALSE(compiler_.TryPrepare(*Make(ConstraintSpec::Regex("("))));
}

TEST_F(ConstraintCompilerTest, KeepsTheGrammarsUsedLast) {
  const auto spec = [](size_t i) {
    return ConstraintSpec::Regex("x{" + std::to_string(i + 1) + "}");
  };
  for (size_t i = 0; i <= ConstraintCompiler::kGrammarsMax; ++i) {
    compiler_.Prepare(Make(spec(i)), {}, answers_.Of());
    answers_.Wait(i + 1);
    EXPECT_TRUE(compiler_.TryPrepare(*Make(spec(0))) || i == 0);
  }
  EXPECT_TRUE(compiler_.TryPrepare(*Make(spec(0)))) << "it was used all the time";
  EXPECT_FALSE(compiler_.TryPrepare(*Make(spec(1))));
}

TEST_F(ConstraintCompilerTest, EverybodyIsAnsweredWhenItStops) {
  for (int i = 0; i < 30; ++i) {
    compiler_.Prepare(Make(ConstraintSpec::Regex("y{" + std::to_string(i + 1) + "}")), {},
                      answers_.Of());
  }
  compiler_.Stop();
  for (const auto& [who, status] : answers_.Wait(30)) {
    EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
  }
  compiler_.Prepare(Make(ConstraintSpec::Regex("z")), {}, answers_.Of());
  EXPECT_TRUE(absl::IsUnavailable(answers_.Wait(31)[30].status));
}

}  // namespace
}  // namespace baton::worker
