// A scheduler with the fake executor behind it, and the outputs it has told.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/kv/block_hash.h"
#include "tests/fakes/fake_executor.h"
#include "worker/engine/scheduler.h"

namespace baton::worker {

inline constexpr TokenId kEnd = 7;

struct SchedulerOptions {
  int32_t block_size = 4;
  int32_t block_count = 64;
  int32_t max_model_len = 128;
  int32_t max_num_seqs = 8;
  int32_t max_num_batched_tokens = 32;
  std::string policy = "fcfs";
  KvGroups kv_groups = {KvGroup{}};
};

inline SchedulerConfig ConfigOf(const SchedulerOptions& options) {
  SchedulerRegistry registry;
  BATON_CHECK(RegisterBuiltinSchedulers(registry).ok());
  return {.block_size = options.block_size,
          .block_count = options.block_count,
          .kv_groups = options.kv_groups,
          .max_model_len = options.max_model_len,
          .max_num_seqs = options.max_num_seqs,
          .max_num_batched_tokens = options.max_num_batched_tokens,
          .end_token_ids = {kEnd},
          .policy = *registry.Find(options.policy)};
}

inline GenerationRequest RequestOf(uint64_t key, std::vector<TokenId> prompt, int32_t max_tokens,
                                   int32_t block_size = 4) {
  GenerationRequest request;
  request.key = RequestKey(key);
  request.chain_root = BlockHash(1);
  request.block_hashes = HashBlocks(request.chain_root, prompt, static_cast<uint32_t>(block_size));
  request.prompt = std::move(prompt);
  request.params.max_tokens = max_tokens;
  request.params.seed = key * 17;
  return request;
}

inline std::vector<TokenId> Counted(TokenId first, int32_t count) {
  std::vector<TokenId> tokens;
  for (int32_t i = 0; i < count; ++i) tokens.push_back(first + static_cast<TokenId>(i));
  return tokens;
}

class SchedulerRun {
 public:
  struct Output {
    std::vector<TokenId> tokens;
    int ends = 0;  // Finished, or the request's Failed while it was open
    bool failed = false;
    FinishReason reason = FinishReason::kStop;
  };

  explicit SchedulerRun(const SchedulerOptions& options)
      : options_(options),
        scheduler(ConfigOf(options)),
        executor({.block_size = options.block_size,
                  .block_count = options.block_count,
                  .max_model_len = options.max_model_len,
                  .kv_groups = options.kv_groups}) {}

  // One step, with every invariant checked. False when there is nothing to do.
  bool Step() {
    const StepPlan& plan = scheduler.Plan();
    scheduler.CheckIntegrity();
    EXPECT_LE(plan.tokens.size(), static_cast<size_t>(options_.max_num_batched_tokens));
    EXPECT_LE(scheduler.load().running, options_.max_num_seqs);
    rows = plan.rows;
    copies = plan.copies;
    if (!plan.empty()) {
      last_step_tokens = static_cast<int32_t>(plan.tokens.size());
      StepResult result = executor.Run(plan);
      if (edit) edit(plan, result);
      scheduler.Commit(std::move(result));
      scheduler.CheckIntegrity();
      ++steps;
    }
    TakeEvents();
    return scheduler.has_work();
  }

  void RunToEnd() {
    while (Step()) {
      ASSERT_LT(steps, 1000000);
    }
  }

  void TakeEvents() {
    scheduler.TakeEvents(events);
    for (const auto& event : events.accepted) {
      cached[event.request->key.value()] = event.cached_tokens;
    }
    TakeScores();
    for (const auto& event : events.tokens) {
      Output& output = outputs[{event.request->key.value(), event.choice}];
      EXPECT_EQ(output.ends, 0) << "a token after the end";
      output.tokens.push_back(event.sampled.token);
    }
    for (const auto& event : events.finished) {
      Output& output = outputs[{event.request->key.value(), event.choice}];
      ++output.ends;
      output.reason = event.reason;
    }
    for (const auto& event : events.failed) TakeFailure(*event.request, event.status);
    for (const auto* request : events.ended) ++ended[request->key.value()];
  }

  const Output& At(uint64_t key, int32_t choice = 0) { return outputs[{key, choice}]; }

 private:
  // Positions come once each, in order, all of them before the first token.
  void TakeScores() {
    for (const auto& event : events.scored) {
      int32_t& next = scored.try_emplace(event.request->key.value(), 1).first->second;
      EXPECT_EQ(event.first_position, next);
      for (const TokenLogprob& logprob : event.logprobs) EXPECT_EQ(logprob.rank, next++);
    }
    for (const auto& event : events.tokens) {
      const GenerationRequest& request = *event.request;
      if (!request.params.prompt_logprobs.has_value()) continue;
      const auto fresh = static_cast<int32_t>(request.prompt.size()) - request.resumed_tokens;
      if (fresh > 1) {
        EXPECT_EQ(scored[request.key.value()], fresh);
      }
    }
  }

  // What a consumer makes of it: the end of the choices that have none yet.
  void TakeFailure(const GenerationRequest& request, const absl::Status& status) {
    const uint64_t key = request.key.value();
    EXPECT_TRUE(failed.emplace(key, status).second) << "failed twice";
    bool ended_any = false;
    for (int32_t choice = 0; choice < request.choices; ++choice) {
      Output& output = outputs[{key, request.choice_offset + choice}];
      if (output.ends > 0) continue;
      ++output.ends;
      output.failed = ended_any = true;
    }
    EXPECT_TRUE(ended_any) << "a failure after the last end";
  }

  const SchedulerOptions options_;

 public:
  Scheduler scheduler;
  FakeExecutor executor;
  std::function<void(const StepPlan&, StepResult&)> edit;  // of what the executor found
  StepEvents events;
  std::map<std::pair<uint64_t, int32_t>, Output> outputs;
  std::map<uint64_t, int32_t> cached;
  std::map<uint64_t, int32_t> scored;  // the next prompt position to be told
  std::map<uint64_t, absl::Status> failed;
  std::map<uint64_t, int> ended;
  std::vector<PlanRow> rows;  // of the last plan
  std::vector<BlockCopy> copies;
  int32_t last_step_tokens = 0;
  int steps = 0;
};

// The text of a request that has the engine for itself: what every other run must give too.
inline std::vector<TokenId> Alone(const GenerationRequest& request, int32_t choice,
                                  int32_t max_model_len, int32_t vocab_size = 50) {
  std::vector<TokenId> history = request.prompt;
  std::vector<TokenId> output;
  const auto fresh = static_cast<int32_t>(request.prompt.size()) - request.resumed_tokens;
  const std::vector<TokenId>& stop_ids = request.params.stop_token_ids;
  while (true) {
    const auto position = static_cast<int32_t>(history.size()) - fresh;
    TokenId token = FakeExecutor::Next(history, request.params.seed, request.choice_offset + choice,
                                       position, vocab_size);
    const bool banned = position < request.params.min_tokens;
    if (banned && token == kEnd) token = kEnd + 1;
    history.push_back(token);
    output.push_back(token);
    if (token == kEnd && !request.params.ignore_eos) break;
    if (std::find(stop_ids.begin(), stop_ids.end(), token) != stop_ids.end()) break;
    if (request.params.max_tokens > 0 && position + 1 >= request.params.max_tokens) break;
    if (static_cast<int32_t>(history.size()) >= max_model_len) break;
  }
  return output;
}

}  // namespace baton::worker
