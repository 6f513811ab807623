// Log-probabilities of prompts, and the state that samplers keep, through the scheduler.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/unit/worker/engine/scheduler_fixture.h"

namespace baton::worker {
namespace {

GenerationRequest ScoredRequest(uint64_t key, int32_t prompt_length, int32_t max_tokens) {
  GenerationRequest request = RequestOf(key, Counted(1, prompt_length), max_tokens);
  request.params.prompt_logprobs = 2;
  request.params.ignore_eos = true;
  return request;
}

TEST(SchedulerScores, EveryPromptTokenButTheFirstOnce) {
  SchedulerRun run({});
  run.scheduler.Add(ScoredRequest(1, 30, 3));
  run.RunToEnd();
  EXPECT_EQ(run.scored[1], 30);
  EXPECT_EQ(run.At(1).tokens.size(), 3u);
}

TEST(SchedulerScores, APromptOfOneTokenHasNone) {
  SchedulerRun run({});
  run.scheduler.Add(ScoredRequest(1, 1, 2));
  run.RunToEnd();
  EXPECT_EQ(run.scored.count(1), 0u);
  EXPECT_EQ(run.At(1).tokens.size(), 2u);
}

TEST(SchedulerScores, TheCacheIsNotReadButFilled) {
  SchedulerRun run({});
  for (uint64_t key = 1; key <= 2; ++key) {
    run.scheduler.Add(ScoredRequest(key, 20, 1));
    run.RunToEnd();
    EXPECT_EQ(run.cached[key], 0);
    EXPECT_EQ(run.scored[key], 20);
  }
  run.scheduler.Add(RequestOf(3, Counted(1, 20), 1));
  run.RunToEnd();
  EXPECT_EQ(run.cached[3], 16);
}

TEST(SchedulerScores, ChunksAreBoundedWhateverTheBudget) {
  SchedulerRun run({.block_count = 400, .max_model_len = 800, .max_num_batched_tokens = 700});
  run.scheduler.Add(ScoredRequest(1, 300, 1));
  run.scheduler.Add(ScoredRequest(2, 300, 1));
  run.scheduler.Add(RequestOf(3, Counted(1, 300), 1));
  while (run.Step()) {
    int32_t with_logits = 0;
    for (const PlanRow& row : run.rows) with_logits += row.all_logits ? row.token_count : 0;
    EXPECT_LE(with_logits, Scheduler::kScoredTokensMax);
  }
  EXPECT_EQ(run.scored[1], 300);
  EXPECT_EQ(run.scored[2], 300);
}

TEST(SchedulerScores, ChoicesShareOneScoring) {
  SchedulerRun run({});
  GenerationRequest request = ScoredRequest(1, 10, 4);
  request.choices = 3;
  run.scheduler.Add(std::move(request));
  run.RunToEnd();
  EXPECT_EQ(run.scored[1], 10);
  for (int32_t choice = 0; choice < 3; ++choice) EXPECT_EQ(run.At(1, choice).tokens.size(), 4u);
}

TEST(SchedulerScores, ResumedOutputIsNoPrompt) {
  SchedulerRun run({});
  GenerationRequest request = ScoredRequest(1, 10, 6);
  request.resumed_tokens = 3;
  run.scheduler.Add(std::move(request));
  run.RunToEnd();
  EXPECT_EQ(run.scored[1], 7);
}

// The fake executor checks that each draw gets the state of the one before.
TEST(SchedulerScores, StateOutlivesPreemption) {
  SchedulerRun run({.block_count = 10, .max_model_len = 40, .max_num_batched_tokens = 64});
  for (uint64_t key = 1; key <= 3; ++key) {
    GenerationRequest request = ScoredRequest(key, 11, 25);
    request.params.mirostat.version = 1;
    run.scheduler.Add(std::move(request));
  }
  run.RunToEnd();
  EXPECT_GT(run.scheduler.counters().preemptions, 0u);
  for (uint64_t key = 1; key <= 3; ++key) {
    EXPECT_EQ(run.At(key).tokens.size(), 25u);
    EXPECT_EQ(run.scored[key], 11);
  }
}

TEST(SchedulerScores, StateComesWithResumedOutput) {
  SchedulerRun run({});
  GenerationRequest request = RequestOf(1, Counted(1, 10), 8);
  request.params.mirostat.version = 2;
  request.params.ignore_eos = true;
  request.resumed_tokens = 4;
  request.sampler_state = FakeExecutor::StateAfter(3);
  run.scheduler.Add(std::move(request));
  run.RunToEnd();
  EXPECT_EQ(run.At(1).tokens.size(), 4u);
}

}  // namespace
}  // namespace baton::worker
