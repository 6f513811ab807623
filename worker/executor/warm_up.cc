#include "worker/executor/warm_up.h"

#include <algorithm>
#include <vector>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "worker/sampling_params/sampling_params.h"

namespace baton::worker {
namespace {

// One sequence of zeros on the first blocks: computes the tokens [first, end) and draws the next.
absl::Status RunTokens(ModelExecutor& executor, int32_t first, int32_t end) {
  SamplingParams greedy;
  greedy.temperature = 0;
  const std::vector<TokenId> history(static_cast<size_t>(end), 0);
  StepPlan plan;
  plan.tokens.assign(static_cast<size_t>(end - first), 0);
  for (int32_t table = 0; table < TableCount(executor.info().kv_groups); ++table) {
    plan.blocks.push_back(BlockId(table));
  }
  plan.rows.push_back(
      {.first_position = first, .token_count = end - first, .block_count = 1, .logits = true});
  plan.samples.push_back({.params = &greedy, .history = history, .prompt_count = end});
  RETURN_IF_ERROR(executor.Begin(plan));
  return executor.Finish().status();
}

}  // namespace

absl::Status WarmUp(ModelExecutor& executor) {
  const ExecutorInfo& info = executor.info();
  const int32_t end = std::min(info.block_size, info.max_model_len);
  const int32_t prompt_end = std::max(end - 1, 1);
  absl::Status status = RunTokens(executor, 0, prompt_end);
  if (status.ok() && end > prompt_end) status = RunTokens(executor, prompt_end, end);
  return status.ok() ? status : Annotate(status, "warm up");
}

}  // namespace baton::worker
