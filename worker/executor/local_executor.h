#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/owned_thread.h"
#include "worker/constraint/step_masks.h"
#include "worker/engine/model_executor.h"
#include "worker/executor/rank_runner.h"
#include "worker/sampling/sampler.h"

namespace baton::worker {

// Runs the model in this process: one exec thread for each tensor-parallel rank, each with its own
// compute threads. The first rank reads plans, sends them to the others, and samples.
//
// Depth 1: the plan is read while Finish waits, so nothing is copied on one rank.
//
// Threading, Errors: as ModelExecutor. INTERNAL also for a row to sample from whose logits have no
//            finite maximum. When one of several ranks fails, the group is broken: every later step
//            fails too, and `on_broken` is called.
// Ownership: owns its ranks; the destructor stops and joins them. REQUIRES: nothing is begun then.
class LocalExecutor final : public ModelExecutor {
 public:
  // Told once why no further step can succeed: the worker is to be restarted. On the thread
  // `exec-0`; must not block.
  using BrokenCallback = std::function<void(const absl::Status& reason)>;

  // `ranks` in order; at least one.
  LocalExecutor(ExecutorInfo info, std::vector<std::unique_ptr<RankRunner>> ranks,
                BrokenCallback on_broken = nullptr);
  ~LocalExecutor() override;

  LocalExecutor(const LocalExecutor&) = delete;
  LocalExecutor& operator=(const LocalExecutor&) = delete;

  const ExecutorInfo& info() const override { return info_; }
  int depth() const override { return 1; }
  absl::Status Begin(const StepPlan& plan) override;
  absl::StatusOr<StepResult> Finish() override;

 private:
  // A plan on its way to another rank.
  using PlanQueue = BoundedQueue<std::string>;

  void Lead(std::stop_token stop);
  void Follow(size_t rank);

  absl::StatusOr<StepResult> Execute(const StepPlan& plan);
  absl::StatusOr<ConstMatrix> RunAllRanks(const StepPlan& plan);
  absl::Status SendToFollowers(const StepPlan& plan);
  SampledToken SampleOne(Sampler& sampler, absl::Span<const float> logits,
                         const SampleRequest& request, const OutputConstraint::View& view) const;
  absl::StatusOr<StepResult> SampleAll(const StepPlan& plan, const ConstMatrix& logits);
  void ScoreAll(const StepPlan& plan, const ConstMatrix& logits, StepResult& result);
  absl::Span<const float> LogitsAt(const ConstMatrix& logits, int32_t row) const;

  // Constant after construction.
  const ExecutorInfo info_;
  const std::vector<std::unique_ptr<RankRunner>> ranks_;
  std::vector<std::unique_ptr<PlanQueue>> followers_;  // of ranks 1, 2, ...

  // The leading exec thread's: empty once called; one sampler for each of its compute threads.
  BrokenCallback on_broken_;
  std::vector<std::unique_ptr<Sampler>> samplers_;
  StepMasks masks_;

  Mutex mutex_;
  CondVar changed_;
  const StepPlan* begun_ ABSL_GUARDED_BY(mutex_) = nullptr;  // not yet taken by the exec thread
  bool unfinished_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<absl::StatusOr<StepResult>> result_ ABSL_GUARDED_BY(mutex_);

  std::vector<std::unique_ptr<OwnedThread>> threads_;  // last: they use all of the above
};

}  // namespace baton::worker
