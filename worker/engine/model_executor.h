// Runs the model for the engine: the only thing the scheduler knows of weights and devices.
//
//   RETURN_IF_ERROR(executor.Begin(plan));
//   ASSIGN_OR_RETURN(StepResult result, executor.Finish());
//
// Contract: steps finish in the order they began, and at most `depth()` are begun and unfinished. A
// row's result depends on its own sequence's tokens only, never on what else is in the plan.
//
// Threading: called by the engine thread alone; Finish blocks it.
// Ownership: the plan, and what it points to, must live until its Finish returns.
// Errors:    INTERNAL from Begin or Finish fails the step: the blocks that its rows would have
//            written hold nothing. Any other state is as before.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/engine/step_plan.h"
#include "worker/kv/kv_group.h"

namespace baton::worker {

// What the engine must know of the model and its memory. Constant after load.
struct ExecutorInfo {
  int32_t block_size = 0;   // tokens
  int32_t block_count = 0;  // block ids are [0, block_count)
  KvGroups kv_groups = {KvGroup{}};
  int32_t max_model_len = 0;
  int32_t vocab_size = 0;
  uint64_t kv_bytes_per_block = 0;
  std::string kv_layout;    // what caches that exchange blocks must have in common
  std::string numerics_id;  // equal ids: equal text
  std::string device;
};

class ModelExecutor {
 public:
  virtual ~ModelExecutor() = default;

  virtual const ExecutorInfo& info() const = 0;

  // 1: a step must be finished before the next begins.
  virtual int depth() const = 0;

  virtual absl::Status Begin(const StepPlan& plan) = 0;
  virtual absl::StatusOr<StepResult> Finish() = 0;
};

}  // namespace baton::worker
