// Random loads on a cache that is always nearly full: after every step the blocks are conserved and
// the budget is kept (SchedulerRun::Step), everybody ends exactly once, and the text is that of a
// request that runs alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "common/base/status.h"
#include "tests/unit/worker/engine/scheduler_fixture.h"

namespace baton::worker {
namespace {

// Prompts over a small alphabet with common beginnings, so that they share prefixes.
GenerationRequest RandomRequest(std::mt19937& random, uint64_t key, int32_t max_model_len,
                                int32_t max_choices, int32_t block_size = 4) {
  std::vector<TokenId> prompt = Counted(0, static_cast<int32_t>(random() % 20));
  const size_t length = prompt.size() + 1 + random() % 20;
  while (prompt.size() < length) prompt.push_back(static_cast<TokenId>(random() % 3));
  const auto room = static_cast<uint32_t>(max_model_len) - static_cast<uint32_t>(prompt.size());
  GenerationRequest request =
      RequestOf(key, std::move(prompt), static_cast<int32_t>(random() % room), block_size);
  request.choices = 1 + static_cast<int32_t>(random() % static_cast<uint32_t>(max_choices));
  request.priority = static_cast<int32_t>(random() % 3);
  request.params.ignore_eos = random() % 2 == 0;
  request.params.min_tokens = static_cast<int32_t>(random() % 4);
  if (random() % 4 == 0) request.params.prompt_logprobs = 0;
  if (random() % 4 == 0) request.params.mirostat.version = 2;
  return request;
}

struct Shape {
  SchedulerOptions options;
  uint32_t seed;
};

// What a router keeps of each group, brought up to date, is what is resident.
void ExpectMirrored(Scheduler& scheduler, std::vector<std::set<BlockHash>>& mirrors) {
  const std::optional<KvEventBatch> batch = scheduler.SealKvEvents();
  const KvSnapshot snapshot = scheduler.SnapshotKv();
  ASSERT_EQ(snapshot.groups.size(), mirrors.size());
  for (size_t group = 0; group < mirrors.size(); ++group) {
    std::set<BlockHash>& mirror = mirrors[group];
    if (batch.has_value()) {
      for (BlockHash hash : batch->groups[group].stored) EXPECT_TRUE(mirror.insert(hash).second);
      for (BlockHash hash : batch->groups[group].removed) EXPECT_EQ(mirror.erase(hash), 1u);
    }
    const std::vector<BlockHash>& resident = snapshot.groups[group];
    EXPECT_EQ(std::set<BlockHash>(resident.begin(), resident.end()), mirror);
  }
}

class SchedulerProperties : public ::testing::TestWithParam<Shape> {};

TEST_P(SchedulerProperties, EverybodyEndsWithTheTextOfRunningAlone) {
  const Shape& shape = GetParam();
  std::mt19937 random(shape.seed);
  SchedulerRun run(shape.options);
  std::map<std::pair<uint64_t, int32_t>, std::vector<TokenId>> expected;
  std::vector<std::set<BlockHash>> mirrors(shape.options.kv_groups.size());
  int32_t most_active = 0;
  for (uint64_t key = 1; key <= 150; ++key) {
    GenerationRequest request = RandomRequest(random, key, shape.options.max_model_len,
                                              shape.options.max_num_seqs, shape.options.block_size);
    for (int32_t choice = 0; choice < request.choices; ++choice) {
      expected[{key, choice}] = Alone(request, choice, shape.options.max_model_len);
    }
    run.scheduler.Add(std::move(request));
    for (size_t pause = random() % 4; pause > 0; --pause) {
      run.Step();
      most_active = std::max(most_active, run.scheduler.load().blocks_active);
    }
    ExpectMirrored(run.scheduler, mirrors);
  }
  run.RunToEnd();
  EXPECT_TRUE(run.failed.empty());
  EXPECT_EQ(run.ended.size(), 150u);
  for (const auto& [where, tokens] : expected) {
    EXPECT_EQ(run.outputs[where].tokens, tokens) << where.first << "/" << where.second;
    EXPECT_EQ(run.outputs[where].ends, 1);
  }
  EXPECT_EQ(run.scheduler.load().blocks_active, 0);
  if (shape.options.block_count <= 20 && shape.options.max_num_seqs > 1) {
    EXPECT_GE(most_active, shape.options.block_count * 9 / 10) << "the cache was never full";
    EXPECT_GT(run.scheduler.counters().preemptions, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, SchedulerProperties,
    ::testing::Values(
        Shape{{.block_count = 400, .max_model_len = 64}, 1},
        Shape{{.block_count = 16, .max_model_len = 64, .max_num_batched_tokens = 8}, 2},
        Shape{{.block_count = 16, .max_model_len = 64, .max_num_batched_tokens = 512}, 3},
        Shape{{.block_count = 20, .max_model_len = 64, .max_num_batched_tokens = 16}, 4},
        Shape{{.block_count = 20, .max_model_len = 64, .policy = "priority"}, 5},
        Shape{{.block_count = 16, .max_model_len = 64, .max_num_seqs = 1}, 6},
        Shape{{.block_size = 1, .block_count = 400, .max_model_len = 64}, 7},
        // A window alone: sequences of 16 blocks in a cache of 9.
        Shape{{.block_count = 9,
               .max_model_len = 64,
               .max_num_batched_tokens = 8,
               .kv_groups = {{.window = 10}}},
              8},
        Shape{{.block_count = 9,
               .max_model_len = 64,
               .max_num_batched_tokens = 16,
               .kv_groups = {{.window = 3}}},
              9},
        Shape{{.block_count = 20,
               .max_model_len = 64,
               .max_num_batched_tokens = 8,
               .kv_groups = {{.window = 0}, {.window = 5}}},
              10},
        Shape{{.block_count = 60,
               .max_model_len = 64,
               .max_num_batched_tokens = 12,
               .policy = "priority",
               .kv_groups = {{.window = 0, .parts = 2}, {.window = 17}, {.window = 6, .parts = 3}}},
              11},
        Shape{{.block_count = 400,
               .max_model_len = 64,
               .kv_groups = {{.window = 0}, {.window = 9, .parts = 2}}},
              12},
        Shape{{.block_count = 400, .max_model_len = 64, .kv_groups = {{.window = 1}}}, 13}),
    [](const auto& info) { return "Seed" + std::to_string(info.param.seed); });

// The narrowest cache: exactly one sequence of the model's length, forks that need a block more
// than their parent, parents that stop at once, and somebody else who waits.
class NarrowestCache : public ::testing::TestWithParam<std::string> {};

TEST_P(NarrowestCache, ForksOutliveTheirParents) {
  std::mt19937 random(13);
  uint64_t key = 0;
  for (int round = 0; round < 1000; ++round) {
    SchedulerRun run({.block_count = 4, .max_model_len = 16, .policy = GetParam()});
    std::vector<GenerationRequest> requests;
    for (size_t count = 1 + random() % 3; count > 0; --count) {
      const auto length = static_cast<int32_t>(1 + random() % 15);
      GenerationRequest& request =
          requests.emplace_back(RequestOf(++key, Counted(random() % 2, length), 0));
      request.choices = 1 + static_cast<int32_t>(random() % 4);
      request.priority = static_cast<int32_t>(random() % 2);
      request.params.stop_token_ids = Counted(0, 25);  // half of all: most stop early
      run.scheduler.Add(request);
    }
    run.RunToEnd();
    ASSERT_TRUE(run.failed.empty()) << run.failed.begin()->second.ToString();
    for (const GenerationRequest& request : requests) {
      for (int32_t choice = 0; choice < request.choices; ++choice) {
        const SchedulerRun::Output& output = run.At(request.key.value(), choice);
        EXPECT_EQ(output.tokens, Alone(request, choice, 16));
        EXPECT_EQ(output.ends, 1);
      }
    }
    EXPECT_EQ(run.scheduler.load().blocks_active, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, NarrowestCache, ::testing::Values("fcfs", "priority"),
                         [](const auto& info) { return info.param; });

// Whatever is cancelled or fails, and whenever, nothing leaks, every choice ends exactly once and
// nobody else notices.
TEST(SchedulerProperties, RandomCancellationsAndFailuresLeakNothing) {
  std::mt19937 random(11);
  const SchedulerOptions options{.block_count = 18, .max_model_len = 64};
  SchedulerRun run(options);
  std::map<uint64_t, std::vector<TokenId>> expected;
  std::map<uint64_t, int32_t> choices;
  std::set<uint64_t> cancelled;
  for (uint64_t key = 1; key <= 300; ++key) {
    GenerationRequest request = RandomRequest(random, key, options.max_model_len, 4);
    expected[key] = Alone(request, 0, options.max_model_len);
    choices[key] = request.choices;
    run.scheduler.Add(std::move(request));
    const RequestKey victim(1 + random() % key);
    if (random() % 2 == 0) {
      const StepPlan& plan = run.scheduler.Plan();
      const auto choice = static_cast<int32_t>(random() % 3);
      run.scheduler.EndChoice(RequestKey(1 + random() % key), choice);
      run.scheduler.End(victim, Cancelled("left"));
      if (!plan.empty() && random() % 8 == 0) {
        run.scheduler.CommitFailure(Internal("the device is gone"));
      } else if (!plan.empty()) {
        run.scheduler.Commit(run.executor.Run(plan));
      }
    } else {
      run.scheduler.End(victim, DeadlineExceeded("late"));
      run.Step();
    }
    run.TakeEvents();
    run.scheduler.CheckIntegrity();
    cancelled.insert(victim.value());
  }
  run.RunToEnd();
  EXPECT_EQ(run.ended.size(), 300u);
  for (const auto& [key, tokens] : expected) {
    EXPECT_EQ(run.ended[key], 1);
    for (int32_t choice = 0; choice < choices[key]; ++choice) {
      EXPECT_EQ(run.At(key, choice).ends, 1) << key << "/" << choice;
    }
    if (cancelled.contains(key) || run.failed.contains(key)) continue;
    if (run.At(key).reason == FinishReason::kCancelled) continue;  // that choice alone
    EXPECT_EQ(run.At(key).tokens, tokens);
  }
}

// The oldest request makes progress in every step, however many newer ones press.
TEST(SchedulerProperties, TheOldestIsNeverStarved) {
  std::mt19937 random(12);
  SchedulerRun run({.block_count = 16, .max_model_len = 64, .max_num_batched_tokens = 8});
  uint64_t key = 0;
  for (int step = 0; step < 2000; ++step) {
    while (run.scheduler.load().waiting < 5) {
      run.scheduler.Add(RandomRequest(random, ++key, 64, 2));
    }
    run.Step();
  }
  // Ended requests form a nearly complete prefix of the arrivals.
  ASSERT_GT(run.ended.size(), 50u);
  EXPECT_LE(run.ended.rbegin()->first - run.ended.size(), 20u);
}

}  // namespace
}  // namespace baton::worker
