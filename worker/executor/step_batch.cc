#include "worker/executor/step_batch.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::worker {
namespace {

bool Within(int32_t begin, int32_t count, size_t size) {
  return begin >= 0 && count >= 0 && int64_t{begin} + count <= static_cast<int64_t>(size);
}

bool IsBlock(BlockId block, const ExecutorInfo& info) {
  return block.value() >= 0 && block.value() < info.block_count;
}

absl::Status Wrong(const StepPlan& plan, const PlanRow& row, const char* what) {
  return Internal(
      absl::StrCat("execute step ", plan.step, ": sequence=", row.sequence.value(), " ", what));
}

}  // namespace

absl::Status StepBatch::Build(const StepPlan& plan, const ExecutorInfo& info) {
  tokens_.clear();
  positions_.clear();
  slots_.clear();
  runs_.clear();
  logit_rows_.clear();
  logit_row_of_.clear();
  RETURN_IF_ERROR(CheckCopies(plan, info));
  for (const PlanRow& row : plan.rows) {
    RETURN_IF_ERROR(CheckRow(plan, row, info));
    AddRow(plan, row, info);
  }
  return CheckSamples(plan);
}

DecoderBatch StepBatch::view() const {
  return {.tokens = tokens_,
          .positions = positions_,
          .slots = slots_,
          .runs = runs_,
          .logit_rows = logit_rows_};
}

absl::Status StepBatch::CheckCopies(const StepPlan& plan, const ExecutorInfo& info) const {
  for (const BlockCopy& copy : plan.copies) {
    if (IsBlock(copy.from, info) && IsBlock(copy.to, info) && copy.from != copy.to) continue;
    return Internal(absl::StrCat("execute step ", plan.step, ": copy of block=", copy.from.value(),
                                 " to ", copy.to.value(), " of ", info.block_count));
  }
  return absl::OkStatus();
}

absl::Status StepBatch::CheckRow(const StepPlan& plan, const PlanRow& row,
                                 const ExecutorInfo& info) const {
  if (row.token_count < 1 || !Within(row.token_begin, row.token_count, plan.tokens.size())) {
    return Wrong(plan, row, "has tokens outside of the plan");
  }
  if (!Within(row.block_begin, row.block_count, plan.blocks.size())) {
    return Wrong(plan, row, "has blocks outside of the plan");
  }
  const int64_t end = int64_t{row.first_position} + row.token_count;
  if (row.first_position < 0 || end > int64_t{row.block_count} * info.block_size) {
    return Wrong(plan, row, "has positions outside of its blocks");
  }
  for (int32_t i = 0; i < row.block_count; ++i) {
    if (!IsBlock(plan.blocks[static_cast<size_t>(row.block_begin + i)], info)) {
      return Wrong(plan, row, "has a block that does not exist");
    }
  }
  for (int32_t i = 0; i < row.token_count; ++i) {
    if (plan.tokens[static_cast<size_t>(row.token_begin + i)] >=
        static_cast<TokenId>(info.vocab_size)) {
      return Wrong(plan, row, "has a token beyond the vocabulary");
    }
  }
  return absl::OkStatus();
}

absl::Status StepBatch::CheckSamples(const StepPlan& plan) const {
  for (const SampleRequest& sample : plan.samples) {
    const bool known = sample.row >= 0 && sample.row < static_cast<int32_t>(plan.rows.size());
    if (known && LogitRowOf(sample.row) >= 0 && sample.params != nullptr) continue;
    return Internal(absl::StrCat("execute step ", plan.step, ": sample for sequence=",
                                 sample.sequence.value(), " has no logits"));
  }
  for (const ScoreRequest& score : plan.scores) {
    const bool known = score.row >= 0 && score.row < static_cast<int32_t>(plan.rows.size());
    if (known && score.params != nullptr) {
      const PlanRow& row = plan.rows[static_cast<size_t>(score.row)];
      const auto count = static_cast<size_t>(row.token_count);
      if (row.all_logits && score.tokens.size() <= count) continue;
    }
    return Internal(
        absl::StrCat("execute step ", plan.step, ": scores of row=", score.row, " have no logits"));
  }
  return absl::OkStatus();
}

void StepBatch::AddRow(const StepPlan& plan, const PlanRow& row, const ExecutorInfo& info) {
  const absl::Span<const BlockId> blocks(plan.blocks.data() + row.block_begin,
                                         static_cast<size_t>(row.block_count));
  runs_.push_back({.row_begin = static_cast<int32_t>(tokens_.size()),
                   .row_count = row.token_count,
                   .first_position = row.first_position,
                   .blocks = blocks});
  for (int32_t i = 0; i < row.token_count; ++i) {
    const int32_t position = row.first_position + i;
    tokens_.push_back(plan.tokens[static_cast<size_t>(row.token_begin + i)]);
    positions_.push_back(position);
    slots_.push_back({.block = blocks[static_cast<size_t>(position / info.block_size)],
                      .offset = position % info.block_size});
  }
  const int32_t wanted = row.all_logits ? row.token_count : static_cast<int32_t>(row.logits);
  const auto end = static_cast<int32_t>(tokens_.size());
  for (int32_t i = end - wanted; i < end; ++i) logit_rows_.push_back(i);
  logit_row_of_.push_back(wanted > 0 ? static_cast<int32_t>(logit_rows_.size()) - 1 : -1);
}

}  // namespace baton::worker
