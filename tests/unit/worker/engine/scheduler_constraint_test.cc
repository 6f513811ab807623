// What constraints ask of the scheduler: requests held back at their last prompt token, rows whose
// draw was deferred, sequences that a draw completes or fails.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "common/base/status.h"
#include "tests/unit/worker/engine/scheduler_fixture.h"

namespace baton::worker {
namespace {

using Outcome = SampledToken::Outcome;

TEST(SchedulerConstraintTest, AHeldRequestComputesItsPromptButForTheLastToken) {
  SchedulerRun run({});
  GenerationRequest held = RequestOf(1, Counted(0, 10), 5);
  held.held = true;
  run.scheduler.Add(std::move(held));
  EXPECT_FALSE(run.scheduler.all_held());
  run.Step();
  EXPECT_EQ(run.last_step_tokens, 9);
  EXPECT_TRUE(run.scheduler.Plan().empty());
  EXPECT_TRUE(run.scheduler.all_held());
  EXPECT_TRUE(run.outputs.empty());
  run.scheduler.Release(RequestKey(1));
  run.scheduler.Release(RequestKey(99));
  EXPECT_FALSE(run.scheduler.all_held());
  run.RunToEnd();
  EXPECT_FALSE(run.At(1).tokens.empty());
}

TEST(SchedulerConstraintTest, AHeldRequestIsInNobodysWayAndMayEnd) {
  SchedulerRun run({});
  GenerationRequest held = RequestOf(1, {5}, 5);
  held.held = true;
  run.scheduler.Add(std::move(held));
  run.scheduler.Add(RequestOf(2, Counted(0, 6), 3));
  while (run.At(2).ends == 0) ASSERT_TRUE(run.Step());
  EXPECT_EQ(run.At(1).ends, 0);
  run.scheduler.End(RequestKey(1), InvalidArgument("no such grammar"));
  run.RunToEnd();
  EXPECT_TRUE(absl::IsInvalidArgument(run.failed[1]));
}

GenerationRequest Held(uint64_t key, int32_t prompt_tokens, int32_t max_tokens) {
  const auto first = static_cast<TokenId>(key);
  GenerationRequest request = RequestOf(key, Counted(first, prompt_tokens), max_tokens);
  request.held = true;
  return request;
}

TEST(SchedulerConstraintTest, AnyNumberOfHeldRequestsLeavesEveryPlaceFree) {
  SchedulerOptions options;
  options.max_num_seqs = 2;
  SchedulerRun run(options);
  for (uint64_t key = 1; key <= 12; ++key) {
    GenerationRequest held = Held(key, key % 2 == 0 ? 1 : 7, 5);
    held.choices = static_cast<int32_t>(1 + key % 2);
    run.scheduler.Add(std::move(held));
  }
  while (!run.scheduler.all_held()) run.Step();
  EXPECT_EQ(run.scheduler.load().running, 0);
  EXPECT_EQ(run.scheduler.load().waiting, 0);
  EXPECT_EQ(run.scheduler.load().parked, 12);
  run.scheduler.Add(RequestOf(20, Counted(0, 6), 3));
  run.scheduler.Add(RequestOf(21, Counted(0, 6), 3));
  run.Step();
  EXPECT_EQ(run.scheduler.load().running, 2) << "both at once";
  while (run.At(20).ends + run.At(21).ends < 2) ASSERT_TRUE(run.Step());
  run.scheduler.End(RequestKey(1), InvalidArgument("no such grammar"));
  run.scheduler.End(RequestKey(2), Cancelled("the client left"));
  for (uint64_t key = 3; key <= 12; ++key) run.scheduler.Release(RequestKey(key));
  run.RunToEnd();
  EXPECT_EQ(run.ended.size(), 14u);
  EXPECT_EQ(run.failed.size(), 1u);
}

TEST(SchedulerConstraintTest, ParkedBlocksAreThereForWhoeverWantsThem) {
  SchedulerOptions options;
  options.block_count = 10;
  options.max_model_len = 40;
  SchedulerRun run(options);
  const GenerationRequest held = Held(1, 30, 5);
  run.scheduler.Add(held);
  while (!run.scheduler.all_held()) run.Step();
  EXPECT_EQ(run.scheduler.load().blocks_active, 8) << "29 tokens in blocks of 4";
  run.scheduler.Add(RequestOf(2, Counted(0, 36), 4));  // all of the blocks
  while (run.At(2).ends == 0) ASSERT_TRUE(run.Step());
  EXPECT_EQ(run.scheduler.counters().preemptions, 0u);
  EXPECT_EQ(run.scheduler.load().blocks_active, 0);
  run.scheduler.Release(RequestKey(1));
  run.RunToEnd();
  EXPECT_EQ(run.At(1).tokens, Alone(held, 0, 40));
}

TEST(SchedulerConstraintTest, AReleasedRequestGoesOnWithWhatItHasComputed) {
  SchedulerOptions options;
  options.max_num_seqs = 1;
  SchedulerRun run(options);
  run.scheduler.Add(Held(1, 10, 2));
  run.scheduler.Add(Held(2, 10, 2));
  while (!run.scheduler.all_held()) run.Step();
  run.scheduler.Release(RequestKey(1));
  run.scheduler.Release(RequestKey(2));  // the only place is taken: it waits, without its blocks
  EXPECT_EQ(run.scheduler.load().running, 1);
  EXPECT_EQ(run.scheduler.load().waiting, 1);
  run.Step();
  EXPECT_EQ(run.last_step_tokens, 1);
  run.RunToEnd();
  EXPECT_EQ(run.At(1).tokens.size(), 2u);
  EXPECT_EQ(run.At(2).tokens.size(), 2u);
}

TEST(SchedulerConstraintTest, ADrawMayCompleteTheSequence) {
  SchedulerRun run({});
  GenerationRequest request = RequestOf(1, Counted(0, 6), 50);
  request.params.ignore_eos = true;
  request.params.min_tokens = 40;
  run.scheduler.Add(std::move(request));
  run.edit = [&run](const StepPlan&, StepResult& result) {
    if (!result.samples.empty() && run.steps == 3) result.samples[0].outcome = Outcome::kDrawnLast;
  };
  run.RunToEnd();
  EXPECT_EQ(run.At(1).tokens.size(), 4u);
  EXPECT_EQ(run.At(1).reason, FinishReason::kStop);
}

TEST(SchedulerConstraintTest, ADrawMayFailItsRequestAndNoOther) {
  SchedulerRun run({});
  GenerationRequest request = RequestOf(1, Counted(0, 6), 20);
  request.choices = 3;
  run.scheduler.Add(std::move(request));
  run.scheduler.Add(RequestOf(2, Counted(3, 6), 6));
  run.edit = [&run](const StepPlan& plan, StepResult& result) {
    for (size_t i = 0; i < plan.samples.size(); ++i) {
      if (run.steps != 3 || plan.samples[i].params->seed != 17 || plan.samples[i].choice != 1)
        continue;
      result.samples[i].outcome = Outcome::kFailed;
      result.samples[i].status = InvalidArgument("too complex");
    }
  };
  run.RunToEnd();
  EXPECT_TRUE(absl::IsInvalidArgument(run.failed[1]));
  EXPECT_FALSE(run.failed.contains(2));
  EXPECT_FALSE(run.At(2).failed);
}

// What the model would say to `request` if it ran alone.
std::vector<TokenId> Alone(const GenerationRequest& request, int32_t choice) {
  SchedulerOptions options;
  options.block_count = 200;
  options.block_size = 4;
  SchedulerRun run(options);
  run.scheduler.Add(request);
  run.RunToEnd();
  return run.At(request.key.value(), choice).tokens;
}

TEST(SchedulerConstraintTest, DeferralAndHoldingDoNotShowInTheText) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    std::mt19937 random(seed);
    SchedulerOptions options;
    options.block_count = seed % 2 == 0 ? 40 : 14;
    options.max_model_len = 48;
    options.max_num_seqs = 4;
    SchedulerRun run(options);
    run.edit = [&random](const StepPlan& plan, StepResult& result) {
      std::set<int32_t> late;
      for (const SampleRequest& sample : plan.samples) {
        if (random() % 3 == 0) late.insert(sample.row);
      }
      for (size_t i = 0; i < plan.samples.size(); ++i) {
        if (late.contains(plan.samples[i].row)) result.samples[i].outcome = Outcome::kDeferred;
      }
    };
    std::map<std::pair<uint64_t, int32_t>, std::vector<TokenId>> expected;
    std::vector<uint64_t> held;
    for (uint64_t key = 1; key <= 40; ++key) {
      GenerationRequest request = RequestOf(
          key, Counted(static_cast<TokenId>(random() % 5), 1 + static_cast<int32_t>(random() % 20)),
          1 + static_cast<int32_t>(random() % 20));
      request.choices = 1 + static_cast<int32_t>(random() % 3);
      for (int32_t choice = 0; choice < request.choices; ++choice) {
        expected[{key, choice}] = Alone(request, choice);
      }
      request.held = random() % 2 == 0;
      if (request.held) held.push_back(key);
      run.scheduler.Add(std::move(request));
      for (size_t steps = random() % 4; steps > 0; --steps) run.Step();
      if (!held.empty() && random() % 2 == 0) {
        run.scheduler.Release(RequestKey(held.back()));
        held.pop_back();
      }
    }
    for (const uint64_t key : held) run.scheduler.Release(RequestKey(key));
    run.RunToEnd();
    EXPECT_TRUE(run.failed.empty());
    for (const auto& [where, tokens] : expected) {
      EXPECT_EQ(run.outputs[where].tokens, tokens) << where.first << "/" << where.second;
    }
    EXPECT_EQ(run.scheduler.load().blocks_active, 0);
  }
}

}  // namespace
}  // namespace baton::worker
