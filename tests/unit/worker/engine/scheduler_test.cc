#include "worker/engine/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/status.h"
#include "tests/unit/worker/engine/scheduler_fixture.h"

namespace baton::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(Scheduler, RunsOneRequestToItsLength) {
  SchedulerRun run({});
  GenerationRequest request = RequestOf(1, Counted(0, 10), 6);
  request.params.ignore_eos = true;
  const std::vector<TokenId> expected = Alone(request, 0, 128);
  run.scheduler.Add(std::move(request));
  run.RunToEnd();
  EXPECT_EQ(run.At(1).tokens, expected);
  EXPECT_EQ(run.At(1).reason, FinishReason::kLength);
  EXPECT_EQ(run.steps, 6);
  EXPECT_EQ(run.ended[1], 1);
}

TEST(Scheduler, StopsAtAnEndToken) {
  for (uint64_t key = 1;; ++key) {  // the first request whose text ends by itself
    GenerationRequest request = RequestOf(key, Counted(0, 5), 40);
    const std::vector<TokenId> expected = Alone(request, 0, 128);
    if (expected.back() != kEnd) continue;
    SchedulerRun run({});
    run.scheduler.Add(std::move(request));
    run.RunToEnd();
    EXPECT_EQ(run.At(key).tokens, expected);
    EXPECT_EQ(run.At(key).reason, FinishReason::kStop);
    break;
  }
}

// As in vLLM: ignore_eos says what does not end a sequence, min_tokens what may not be drawn yet.
TEST(Scheduler, MinTokensBansTheEndTokenAlsoWhereItIsIgnored) {
  GenerationRequest request;
  std::vector<TokenId> unbanned, expected;
  const auto ends = [](absl::Span<const TokenId> tokens) {
    return std::count(tokens.begin(), tokens.end(), kEnd);
  };
  for (uint64_t key = 1; ends(unbanned) == 0 || ends(expected) == 0; ++key) {
    request = RequestOf(key, Counted(0, 5), 40);
    request.params.ignore_eos = true;
    unbanned = Alone(request, 0, 128);
    unbanned.resize(6);
    request.params.min_tokens = 6;
    expected = Alone(request, 0, 128);
  }
  const uint64_t key = request.key.value();
  SchedulerRun run({});
  run.scheduler.Add(std::move(request));
  run.RunToEnd();
  EXPECT_EQ(run.At(key).tokens, expected);
  EXPECT_EQ(ends(absl::MakeConstSpan(run.At(key).tokens).first(6)), 0);
  EXPECT_EQ(run.At(key).reason, FinishReason::kLength) << "the end token came and was ignored";
}

TEST(Scheduler, StopsAtTheModelsLength) {
  SchedulerRun run({.max_model_len = 16});
  GenerationRequest request = RequestOf(1, Counted(0, 10), 0);
  request.params.ignore_eos = true;
  run.scheduler.Add(std::move(request));
  run.RunToEnd();
  EXPECT_THAT(run.At(1).tokens, SizeIs(6));
  EXPECT_EQ(run.At(1).reason, FinishReason::kLength);
}

TEST(Scheduler, CutsLongPromptsToTheBudgetAndServesGenerationFirst) {
  SchedulerRun run({.max_num_seqs = 4, .max_num_batched_tokens = 8});
  GenerationRequest generating = RequestOf(1, Counted(0, 4), 50);
  generating.params.ignore_eos = true;
  run.scheduler.Add(std::move(generating));
  run.Step();
  run.scheduler.Add(RequestOf(2, Counted(50, 30), 1));
  for (int chunk = 0; chunk < 4; ++chunk) {  // 7 + 7 + 7 + 7 + 2
    run.Step();
    ASSERT_THAT(run.rows, SizeIs(2));
    EXPECT_EQ(run.rows[0].token_count, 1);
    EXPECT_EQ(run.rows[1].token_count, 7);
    EXPECT_FALSE(run.rows[1].logits);
  }
  run.Step();
  EXPECT_EQ(run.rows[1].token_count, 2);
  EXPECT_TRUE(run.rows[1].logits);
}

TEST(Scheduler, ASecondPromptHitsTheFirstOnesBlocks) {
  SchedulerRun run({});
  run.scheduler.Add(RequestOf(1, Counted(0, 18), 1));
  run.RunToEnd();
  run.scheduler.Add(RequestOf(2, Counted(0, 18), 1));
  run.RunToEnd();
  EXPECT_EQ(run.cached[1], 0);
  EXPECT_EQ(run.cached[2], 16);
  EXPECT_EQ(run.last_step_tokens, 2);
  EXPECT_EQ(run.scheduler.counters().prefix_query_tokens, 36u);
  EXPECT_EQ(run.scheduler.counters().prefix_hit_tokens, 16u);
  EXPECT_EQ(run.scheduler.counters().prompt_tokens, 36u);
}

// Neither the last block of a prompt of whole blocks, which is always computed anew, nor equal
// output may push out what others have in the cache.
TEST(Scheduler, RepeatsOfOneRequestEvictNobody) {
  SchedulerRun run({.block_count = 64});
  run.scheduler.Add(RequestOf(1, Counted(100, 90), 1));
  run.RunToEnd();
  uint64_t key = 2;
  for (; key < 50; ++key) {
    GenerationRequest request = RequestOf(key, Counted(1, 16), 12);
    request.params.ignore_eos = true;
    request.params.seed = 5;
    run.scheduler.Add(std::move(request));
    if (key % 3 == 0) run.RunToEnd();
  }
  run.RunToEnd();
  EXPECT_EQ(run.scheduler.SnapshotKv().groups[0].size(), 22u + 6u);
  run.scheduler.Add(RequestOf(key, Counted(100, 90), 1));
  run.RunToEnd();
  EXPECT_EQ(run.cached[key], 88);
  for (uint64_t other = 3; other < 50; ++other) EXPECT_EQ(run.At(other).tokens, run.At(2).tokens);
}

TEST(Scheduler, ChoicesShareOnePrefillAndCopyItsPartialBlock) {
  SchedulerRun run({});
  GenerationRequest request = RequestOf(1, Counted(0, 10), 5);
  request.choices = 3;
  request.choice_offset = 2;
  request.params.ignore_eos = true;
  std::vector<std::vector<TokenId>> expected;
  for (int32_t choice = 0; choice < 3; ++choice) expected.push_back(Alone(request, choice, 128));
  run.scheduler.Add(std::move(request));
  run.Step();
  EXPECT_THAT(run.rows, SizeIs(1));
  EXPECT_EQ(run.rows[0].token_count, 10);
  run.Step();
  EXPECT_THAT(run.rows, SizeIs(3));
  ASSERT_THAT(run.copies, SizeIs(2));
  EXPECT_EQ(run.copies[0].token_count, 2);
  EXPECT_EQ(run.scheduler.load().blocks_active, 2 + 3) << "two full ones shared, one each";
  run.RunToEnd();
  for (int32_t choice = 0; choice < 3; ++choice) {
    EXPECT_EQ(run.At(1, 2 + choice).tokens, expected[static_cast<size_t>(choice)]);
    EXPECT_EQ(run.At(1, 2 + choice).ends, 1);
  }
  EXPECT_EQ(run.ended[1], 1);
}

TEST(Scheduler, ForkOfAPromptOfWholeBlocksCopiesNothing) {
  SchedulerRun run({});
  GenerationRequest request = RequestOf(1, Counted(0, 8), 3);
  request.choices = 2;
  request.params.ignore_eos = true;
  run.scheduler.Add(std::move(request));
  run.Step();
  run.Step();
  EXPECT_THAT(run.copies, SizeIs(0));
  run.RunToEnd();
  EXPECT_THAT(run.At(1, 1).tokens, SizeIs(3));
}

// The parent stops at its first token; its fork has the cache for itself, but not one block more.
TEST(Scheduler, AForkOutlivesItsParentInACacheOfOneSequence) {
  const SchedulerOptions options{.block_count = 4, .max_model_len = 16};
  uint64_t key = 1;
  GenerationRequest request;
  do {
    request = RequestOf(key++, Counted(10, 14), 2);
    request.choices = 2;
  } while (Alone(request, 0, 16).size() != 1 || Alone(request, 1, 16).size() != 2);
  const std::vector<TokenId> expected = Alone(request, 1, 16);
  key = request.key.value();
  SchedulerRun run(options);
  run.scheduler.Add(std::move(request));
  run.Step();
  run.Step();
  EXPECT_THAT(run.copies, SizeIs(0)) << "nobody else needs the parent's last block";
  run.RunToEnd();
  EXPECT_THAT(run.failed, SizeIs(0));
  EXPECT_EQ(run.At(key, 1).tokens, expected);
  EXPECT_EQ(run.scheduler.counters().preemptions, 0u);
}

TEST(Scheduler, ChoicesReserveTheirSlots) {
  SchedulerRun run({.max_num_seqs = 3});
  GenerationRequest request = RequestOf(1, Counted(0, 6), 4);
  request.choices = 3;
  run.scheduler.Add(std::move(request));
  run.scheduler.Add(RequestOf(2, Counted(30, 6), 4));
  run.Step();
  EXPECT_EQ(run.scheduler.load().waiting, 1);
  run.RunToEnd();
  EXPECT_EQ(run.ended.size(), 2u);
}

TEST(Scheduler, PreemptsTheLastAndTextStaysTheSame) {
  SchedulerRun run({.block_count = 10, .max_model_len = 40, .max_num_batched_tokens = 64});
  std::vector<std::vector<TokenId>> expected;
  for (uint64_t key = 1; key <= 3; ++key) {
    GenerationRequest request = RequestOf(key, Counted(static_cast<TokenId>(key * 20), 11), 25);
    request.params.ignore_eos = true;
    expected.push_back(Alone(request, 0, 40));
    run.scheduler.Add(std::move(request));
  }
  run.RunToEnd();
  EXPECT_GT(run.scheduler.counters().preemptions, 0u);
  for (uint64_t key = 1; key <= 3; ++key) {
    EXPECT_EQ(run.At(key).tokens, expected[key - 1]);
    EXPECT_EQ(run.cached[key], 0) << "a preempted request's own blocks are no hit";
  }
  EXPECT_EQ(run.scheduler.counters().prefix_hit_tokens, 0u);
}

TEST(Scheduler, PriorityGoesFirstAndPreemptsTheWorst) {
  SchedulerRun run({.max_num_seqs = 1, .policy = "priority"});
  for (uint64_t key = 1; key <= 3; ++key) {
    GenerationRequest request = RequestOf(key, Counted(0, 5), 1);
    request.priority = static_cast<int32_t>(3 - key);
    run.scheduler.Add(std::move(request));
  }
  std::vector<uint64_t> order;
  while (run.scheduler.has_work()) {
    run.Step();
    for (const auto* request : run.events.ended) order.push_back(request->key.value());
  }
  EXPECT_EQ(order, (std::vector<uint64_t>{3, 2, 1}));
}

TEST(Scheduler, CancelBetweenStepsFreesAtOnce) {
  SchedulerRun run({});
  GenerationRequest request = RequestOf(1, Counted(0, 10), 50);
  request.choices = 2;
  request.params.ignore_eos = true;
  run.scheduler.Add(std::move(request));
  run.Step();
  run.Step();
  run.scheduler.End(RequestKey(1), Cancelled("left"));
  run.TakeEvents();
  EXPECT_EQ(run.At(1, 0).reason, FinishReason::kCancelled);
  EXPECT_EQ(run.At(1, 1).ends, 1);
  EXPECT_EQ(run.scheduler.load().blocks_active, 0);
  EXPECT_FALSE(run.scheduler.has_work());
  run.scheduler.CheckIntegrity();
}

TEST(Scheduler, CancelDuringAStepEndsAtItsCommitWithoutAToken) {
  SchedulerRun run({});
  GenerationRequest request = RequestOf(1, Counted(0, 10), 50);
  request.choices = 3;
  run.scheduler.Add(std::move(request));
  const StepPlan& plan = run.scheduler.Plan();
  run.scheduler.End(RequestKey(1), Cancelled("left"));
  EXPECT_TRUE(run.scheduler.has_work()) << "blocks are still being written";
  run.scheduler.Commit(run.executor.Run(plan));
  run.TakeEvents();
  EXPECT_THAT(run.At(1, 0).tokens, SizeIs(0));
  for (int32_t choice = 0; choice < 3; ++choice) EXPECT_EQ(run.At(1, choice).ends, 1);
  EXPECT_FALSE(run.scheduler.has_work());
  run.scheduler.CheckIntegrity();
}

TEST(Scheduler, OneChoiceEndsWhileTheOthersGoOn) {
  for (const bool during_step : {false, true}) {
    SchedulerRun run({});
    GenerationRequest request = RequestOf(1, Counted(0, 10), 20);
    request.choices = 3;
    request.choice_offset = 4;
    request.params.ignore_eos = true;
    const std::vector<TokenId> expected = Alone(request, 0, 128);
    run.scheduler.Add(std::move(request));
    run.scheduler.EndChoice(RequestKey(1), 5);  // has no token yet: goes on
    run.Step();
    run.Step();
    if (during_step) {
      const StepPlan& plan = run.scheduler.Plan();
      run.scheduler.EndChoice(RequestKey(1), 5);
      run.scheduler.Commit(run.executor.Run(plan));
    } else {
      run.scheduler.EndChoice(RequestKey(1), 5);
    }
    run.TakeEvents();
    EXPECT_EQ(run.At(1, 5).reason, FinishReason::kCancelled);
    EXPECT_THAT(run.At(1, 5).tokens, SizeIs(2));
    run.scheduler.CheckIntegrity();
    run.scheduler.EndChoice(RequestKey(1), 5);  // over already
    run.RunToEnd();
    EXPECT_EQ(run.At(1, 4).tokens, expected);
    EXPECT_EQ(run.At(1, 6).reason, FinishReason::kLength);
    EXPECT_EQ(run.ended[1], 1);
    for (int32_t choice = 4; choice < 7; ++choice) EXPECT_EQ(run.At(1, choice).ends, 1);
    run.scheduler.CheckIntegrity();
  }
}

TEST(Scheduler, TheLastChoiceThatEndsEndsItsRequest) {
  SchedulerRun run({});
  GenerationRequest request = RequestOf(1, Counted(0, 10), 20);
  request.choices = 2;
  request.params.ignore_eos = true;
  run.scheduler.Add(std::move(request));
  run.Step();
  run.scheduler.EndChoice(RequestKey(1), 0);
  run.scheduler.EndChoice(RequestKey(1), 1);
  run.TakeEvents();
  EXPECT_EQ(run.ended[1], 1);
  EXPECT_FALSE(run.scheduler.has_work());
  EXPECT_EQ(run.scheduler.counters().requests_cancelled, 1u);
  run.scheduler.CheckIntegrity();
}

TEST(Scheduler, AFailedStepFailsThoseItNamed) {
  SchedulerRun run({.max_num_seqs = 2});
  for (uint64_t key = 1; key <= 3; ++key) {
    run.scheduler.Add(RequestOf(key, Counted(static_cast<TokenId>(key), 6), 2));
  }
  run.scheduler.Plan();
  run.scheduler.CommitFailure(Internal("the device is gone"));
  run.scheduler.CheckIntegrity();
  run.RunToEnd();
  EXPECT_THAT(run.failed, SizeIs(2));
  EXPECT_EQ(run.At(3).ends, 1);
  EXPECT_EQ(run.scheduler.counters().failed_steps, 1u);
  EXPECT_EQ(run.cached[3], 0) << "nothing of the failed step was published";
}

TEST(Scheduler, AFailureEndsTheChoicesThatAreStillOpen) {
  uint64_t key = 1;
  GenerationRequest request;
  do {
    request = RequestOf(key++, Counted(0, 10), 8);
    request.choices = 3;
  } while (Alone(request, 1, 128).size() != 1 || Alone(request, 0, 128).size() < 3 ||
           Alone(request, 2, 128).size() < 3);
  key = request.key.value();
  SchedulerRun run({});
  run.scheduler.Add(std::move(request));
  run.Step();
  EXPECT_EQ(run.At(key, 1).ends, 1);
  run.scheduler.Plan();
  run.scheduler.CommitFailure(Internal("the device is gone"));
  run.TakeEvents();
  for (int32_t choice = 0; choice < 3; ++choice) {
    EXPECT_EQ(run.At(key, choice).ends, 1);
    EXPECT_EQ(run.At(key, choice).failed, choice != 1);
  }
  EXPECT_EQ(run.At(key, 1).reason, FinishReason::kStop);
  EXPECT_EQ(run.ended[key], 1);
  EXPECT_FALSE(run.scheduler.has_work());
}

TEST(Scheduler, ResumedTokensCountAsOutput) {
  GenerationRequest whole = RequestOf(5, Counted(0, 9), 12);
  whole.params.ignore_eos = true;
  const std::vector<TokenId> expected = Alone(whole, 0, 128);
  std::vector<TokenId> prompt = whole.prompt;
  prompt.insert(prompt.end(), expected.begin(), expected.begin() + 5);
  GenerationRequest resumed = RequestOf(5, prompt, 12);
  resumed.params = whole.params;
  resumed.resumed_tokens = 5;
  SchedulerRun run({});
  run.scheduler.Add(std::move(resumed));
  run.RunToEnd();
  EXPECT_EQ(run.At(5).tokens, std::vector<TokenId>(expected.begin() + 5, expected.end()));
}

TEST(Scheduler, RefusesWhatCanNeverFit) {
  const SchedulerConfig config = ConfigOf({.max_model_len = 20, .max_num_seqs = 2});
  const auto field_of = [&](const GenerationRequest& request) {
    return Field(CheckFits(config, request)).value_or("");
  };
  EXPECT_EQ(field_of(RequestOf(1, {}, 1)), "prompt");
  EXPECT_EQ(field_of(RequestOf(1, Counted(0, 20), 0)), "prompt");
  EXPECT_EQ(field_of(RequestOf(1, Counted(0, 19), 1)), "");
  EXPECT_EQ(field_of(RequestOf(1, Counted(0, 10), 11)), "sampling.max_tokens");
  GenerationRequest many = RequestOf(1, Counted(0, 10), 5);
  many.choices = 3;
  EXPECT_EQ(field_of(many), "n");
}

TEST(Scheduler, ConfigurationsThatCannotWorkAreRefused) {
  EXPECT_THAT(std::string(ConfigOf({.block_count = 4, .max_model_len = 17}).Validate().message()),
              HasSubstr("does not fit"));
  EXPECT_THAT(
      std::string(ConfigOf({.max_num_seqs = 9, .max_num_batched_tokens = 8}).Validate().message()),
      HasSubstr("max_num_seqs"));
}

}  // namespace
}  // namespace baton::worker
