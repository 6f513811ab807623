#include "worker/executor/step_batch.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::worker {
namespace {

bool Within(int32_t begin, int64_t count, size_t size) {
  return begin >= 0 && count >= 0 && begin + count <= static_cast<int64_t>(size);
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
  tables_.resize(static_cast<size_t>(TableCount(info.kv_groups)));
  for (Table& table : tables_) {
    table.slots.clear();
    table.runs.clear();
  }
  logit_rows_.clear();
  logit_row_of_.clear();
  RETURN_IF_ERROR(CheckCopies(plan, info));
  for (const PlanRow& row : plan.rows) {
    RETURN_IF_ERROR(CheckRow(plan, row, info));
    AddRow(plan, row, info);
  }
  table_views_.clear();
  for (const Table& table : tables_) table_views_.push_back({table.slots, table.runs});
  return CheckSamples(plan);
}

DecoderBatch StepBatch::view() const {
  return {.tokens = tokens_,
          .positions = positions_,
          .tables = table_views_,
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
  if (row.block_count < 0 ||
      !Within(row.block_begin, int64_t{row.block_count} * TableCount(info.kv_groups),
              plan.blocks.size())) {
    return Wrong(plan, row, "has blocks outside of the plan");
  }
  const int64_t end = int64_t{row.first_position} + row.token_count;
  if (row.first_position < 0 || end > int64_t{row.block_count} * info.block_size) {
    return Wrong(plan, row, "has positions outside of its blocks");
  }
  RETURN_IF_ERROR(CheckBlocks(plan, row, info));
  for (int32_t i = 0; i < row.token_count; ++i) {
    if (plan.tokens[static_cast<size_t>(row.token_begin + i)] >=
        static_cast<TokenId>(info.vocab_size)) {
      return Wrong(plan, row, "has a token beyond the vocabulary");
    }
  }
  return absl::OkStatus();
}

// What the row sees in a table has to be there; before that, a window may have no blocks.
absl::Status StepBatch::CheckBlocks(const StepPlan& plan, const PlanRow& row,
                                    const ExecutorInfo& info) const {
  auto at = static_cast<size_t>(row.block_begin);
  for (const KvGroup& group : info.kv_groups) {
    const int32_t first_seen = group.SeenFrom(row.first_position) / info.block_size;
    for (int32_t part = 0; part < group.parts; ++part) {
      for (int32_t block = 0; block < row.block_count; ++block, ++at) {
        if (IsBlock(plan.blocks[at], info)) continue;
        if (plan.blocks[at] == kNoBlock && block < first_seen) continue;
        return Wrong(plan, row, "has a block that does not exist");
      }
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
  AddToTables(plan, row, info);
  for (int32_t i = 0; i < row.token_count; ++i) {
    tokens_.push_back(plan.tokens[static_cast<size_t>(row.token_begin + i)]);
    positions_.push_back(row.first_position + i);
  }
  const int32_t wanted = row.all_logits ? row.token_count : static_cast<int32_t>(row.logits);
  const auto end = static_cast<int32_t>(tokens_.size());
  for (int32_t i = end - wanted; i < end; ++i) logit_rows_.push_back(i);
  logit_row_of_.push_back(wanted > 0 ? static_cast<int32_t>(logit_rows_.size()) - 1 : -1);
}

void StepBatch::AddToTables(const StepPlan& plan, const PlanRow& row, const ExecutorInfo& info) {
  const auto block_count = static_cast<size_t>(row.block_count);
  const BlockId* blocks = plan.blocks.data() + row.block_begin;
  for (Table& table : tables_) {
    table.runs.push_back({.row_begin = static_cast<int32_t>(tokens_.size()),
                          .row_count = row.token_count,
                          .first_position = row.first_position,
                          .blocks = {blocks, block_count}});
    for (int32_t i = 0; i < row.token_count; ++i) {
      const int32_t position = row.first_position + i;
      table.slots.push_back(
          {.block = blocks[position / info.block_size], .offset = position % info.block_size});
    }
    blocks += block_count;
  }
}

}  // namespace baton::worker
