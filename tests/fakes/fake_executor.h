// An executor whose model is a hash: the next token is a function of the whole history, as read
// back through the block tables from a memory of tokens instead of keys and values: all of it in a
// full KV group, the last of it in a window's. A scheduler that names a stale, foreign or unwritten
// block gets a failed check, not a plausible token.
//
//   FakeExecutor executor({.block_size = 4, .block_count = 64, .vocab_size = 50});
//   StepResult result = executor.Run(plan);          // pure tests
//   EngineLoop engine(config, executor, ...);        // with the thread
//
// Threading: Begin and Finish on one thread; the gate and the counters from any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "worker/engine/model_executor.h"

namespace baton::worker {

class FakeExecutor final : public ModelExecutor {
 public:
  struct Options {
    int32_t block_size = 4;
    int32_t block_count = 64;
    int32_t vocab_size = 50;
    int32_t max_model_len = 128;
    KvGroups kv_groups = {KvGroup{}};
  };

  explicit FakeExecutor(Options options)
      : memory_(static_cast<size_t>(options.block_size) *
                static_cast<size_t>(options.block_count)) {
    info_.block_size = options.block_size;
    info_.block_count = options.block_count;
    info_.vocab_size = options.vocab_size;
    info_.max_model_len = options.max_model_len;
    info_.kv_groups = options.kv_groups;
    info_.numerics_id = "fake";
    info_.device = "fake";
  }

  // The model: what follows `history`.
  static TokenId Next(absl::Span<const TokenId> history, uint64_t seed, int32_t choice,
                      int32_t output_position, int32_t vocab_size) {
    uint64_t hash = seed * 0x9E3779B97F4A7C15ull + static_cast<uint64_t>(choice) * 31 +
                    static_cast<uint64_t>(output_position) * 1009;
    for (TokenId token : history) hash = (hash ^ (token + 1)) * 0x100000001B3ull;
    hash ^= hash >> 29;
    return static_cast<TokenId>(hash % static_cast<uint64_t>(vocab_size));
  }

  StepResult Run(const StepPlan& plan) {
    for (const BlockCopy& copy : plan.copies) Copy(copy);
    for (const PlanRow& row : plan.rows) Write(plan, row);
    StepResult result;
    for (const SampleRequest& sample : plan.samples) result.samples.push_back(Draw(plan, sample));
    for (const ScoreRequest& score : plan.scores) result.scores.push_back(Score(plan, score));
    return result;
  }

  // The state that the draw of output token `position` leaves, where mirostat is asked for.
  static std::string StateAfter(int32_t position) { return "after " + std::to_string(position); }

  const ExecutorInfo& info() const override { return info_; }
  int depth() const override { return 1; }

  absl::Status Begin(const StepPlan& plan) override {
    std::unique_lock lock(mutex_);
    ++begun_count_;
    changed_.notify_all();
    if (fail_next_.has_value()) return *std::exchange(fail_next_, std::nullopt);
    changed_.wait(lock, [this] { return !gated_ || permits_ > 0; });
    if (gated_) --permits_;
    plan_ = &plan;
    return absl::OkStatus();
  }

  absl::StatusOr<StepResult> Finish() override { return Run(*plan_); }

  // With the gate closed, each step waits in Begin for a permit.
  void CloseGate() {
    std::lock_guard lock(mutex_);
    gated_ = true;
  }
  void OpenGate() {
    std::lock_guard lock(mutex_);
    gated_ = false;
    changed_.notify_all();
  }
  void Permit(int steps) {
    std::lock_guard lock(mutex_);
    permits_ += steps;
    changed_.notify_all();
  }
  void WaitForBegun(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_count_ >= count; });
  }
  int begun_count() {
    std::lock_guard lock(mutex_);
    return begun_count_;
  }
  void FailNext(absl::Status status) {
    std::lock_guard lock(mutex_);
    fail_next_ = std::move(status);
  }

 private:
  struct Slot {
    bool written = false;
    int32_t position = 0;
    TokenId token = 0;
  };

  Slot& At(BlockId block, int32_t offset) {
    BATON_CHECK(block.value() >= 0 && block.value() < info_.block_count);
    return memory_[static_cast<size_t>(block.value() * info_.block_size + offset)];
  }

  void Copy(const BlockCopy& copy) {
    BATON_CHECK(copy.from != copy.to && copy.token_count < info_.block_size);
    for (int32_t i = 0; i < copy.token_count; ++i) At(copy.to, i) = At(copy.from, i);
  }

  Slot& SlotOf(const StepPlan& plan, const PlanRow& row, int32_t table, int32_t position) {
    const int32_t block = position / info_.block_size;
    BATON_CHECK(block < row.block_count) << "position=" << position;
    return At(plan.blocks[static_cast<size_t>(row.block_begin + table * row.block_count + block)],
              position % info_.block_size);
  }

  void Write(const StepPlan& plan, const PlanRow& row) {
    BATON_CHECK(row.token_count > 0);
    ForEachTable([&](int32_t table, const KvGroup& group) {
      for (int32_t i = 0; i < row.token_count; ++i) {
        const int32_t position = row.first_position + i;
        SlotOf(plan, row, table, position) = {
            .written = true,
            .position = position,
            .token = plan.tokens[static_cast<size_t>(row.token_begin + i)]};
      }
      for (int32_t p = group.SeenFrom(row.first_position); p < row.first_position; ++p) {
        const Slot& slot = SlotOf(plan, row, table, p);
        BATON_CHECK(slot.written && slot.position == p) << "stale block: " << p;
      }
    });
  }

  template <typename Visit>
  void ForEachTable(Visit visit) {
    int32_t table = 0;
    for (const KvGroup& group : info_.kv_groups) {
      for (int32_t part = 0; part < group.parts; ++part) visit(table++, group);
    }
  }

  SampledToken Draw(const StepPlan& plan, const SampleRequest& sample) {
    const PlanRow& row = plan.rows[static_cast<size_t>(sample.row)];
    BATON_CHECK(row.logits);
    const int32_t end = row.first_position + row.token_count;
    BATON_CHECK(sample.history.size() == static_cast<size_t>(end));
    ForEachTable([&](int32_t table, const KvGroup& group) {
      for (int32_t position = group.SeenFrom(end - 1); position < end; ++position) {
        const Slot& slot = SlotOf(plan, row, table, position);
        BATON_CHECK(slot.written && slot.position == position) << "stale block: " << position;
        BATON_CHECK(slot.token == sample.history[static_cast<size_t>(position)])
            << "foreign block: position=" << position;
      }
    });
    SampledToken sampled;
    sampled.token = Next(sample.history, sample.params->seed, sample.choice, sample.output_position,
                         info_.vocab_size);
    const bool banned = sample.output_position < sample.params->min_tokens;
    for (TokenId stop : sample.stop_ids) {
      if (banned && sampled.token == stop) sampled.token = stop + 1;
    }
    if (sample.params->mirostat.version != 0) {
      BATON_CHECK(sample.output_position == 0 ||
                  sample.state == StateAfter(sample.output_position - 1))
          << "state=" << std::string(sample.state) << " position=" << sample.output_position;
      sampled.state = StateAfter(sample.output_position);
    }
    return sampled;
  }

  // The rank of a prompt token is its position, for tests to find it again.
  std::vector<TokenLogprob> Score(const StepPlan& plan, const ScoreRequest& score) {
    const PlanRow& row = plan.rows[static_cast<size_t>(score.row)];
    BATON_CHECK(row.all_logits && score.first_position == row.first_position + 1);
    BATON_CHECK(score.tokens.size() <= static_cast<size_t>(row.token_count));
    std::vector<TokenLogprob> scored(score.tokens.size());
    for (size_t i = 0; i < scored.size(); ++i) {
      scored[i].rank = score.first_position + static_cast<int32_t>(i);
    }
    return scored;
  }

  ExecutorInfo info_;
  std::vector<Slot> memory_;
  const StepPlan* plan_ = nullptr;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool gated_ = false;
  int permits_ = 0;
  int begun_count_ = 0;
  std::optional<absl::Status> fail_next_;
};

}  // namespace baton::worker
