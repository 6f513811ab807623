#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "worker/engine/model_executor.h"
#include "worker/engine/step_plan.h"
#include "worker/model/decoder.h"

namespace baton::worker {

// A step plan laid out for the decoder: a position for each token, and a cache slot in each table.
// Keeps its memory from step to step.
//
// Threading: thread-compatible.
// Ownership: views into the plan; it must outlive their use.
// Errors:    INTERNAL from Build, naming step and row, for a plan that does not hold together; the
//            decoder trusts what passes.
class StepBatch {
 public:
  absl::Status Build(const StepPlan& plan, const ExecutorInfo& info);

  // Valid until the next Build.
  DecoderBatch view() const;

  // Which row of logits belongs to the last token of a row of the plan; -1: none.
  int32_t LogitRowOf(int32_t plan_row) const {
    return logit_row_of_[static_cast<size_t>(plan_row)];
  }
  // The first of them, for a row with all logits.
  int32_t FirstLogitRowOf(const StepPlan& plan, int32_t plan_row) const {
    return LogitRowOf(plan_row) - plan.rows[static_cast<size_t>(plan_row)].token_count + 1;
  }

 private:
  absl::Status CheckCopies(const StepPlan& plan, const ExecutorInfo& info) const;
  absl::Status CheckRow(const StepPlan& plan, const PlanRow& row, const ExecutorInfo& info) const;
  absl::Status CheckBlocks(const StepPlan& plan, const PlanRow& row,
                           const ExecutorInfo& info) const;
  absl::Status CheckSamples(const StepPlan& plan) const;
  void AddRow(const StepPlan& plan, const PlanRow& row, const ExecutorInfo& info);
  void AddToTables(const StepPlan& plan, const PlanRow& row, const ExecutorInfo& info);

  struct Table {
    std::vector<KvSlot> slots;
    std::vector<AttentionRun> runs;
  };

  std::vector<TokenId> tokens_;
  std::vector<int32_t> positions_;
  std::vector<Table> tables_;
  std::vector<BatchTable> table_views_;
  std::vector<int32_t> logit_rows_;
  std::vector<int32_t> logit_row_of_;
};

}  // namespace baton::worker
