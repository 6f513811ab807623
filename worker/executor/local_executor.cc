#include "worker/executor/local_executor.h"

#include <atomic>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "worker/executor/plan_codec.h"
#include "worker/sampling/logit_math.h"

namespace baton::worker {

LocalExecutor::LocalExecutor(ExecutorInfo info, std::vector<std::unique_ptr<RankRunner>> ranks,
                             BrokenCallback on_broken)
    : info_(std::move(info)), ranks_(std::move(ranks)), on_broken_(std::move(on_broken)) {
  BATON_CHECK(!ranks_.empty()) << "executor: ranks=0";
  for (int i = 0; i < ranks_.front()->threads().thread_count(); ++i) {
    samplers_.push_back(std::make_unique<Sampler>(info_.vocab_size));
  }
  for (size_t rank = 1; rank < ranks_.size(); ++rank) {
    followers_.push_back(std::make_unique<PlanQueue>(1));
  }
  threads_.push_back(
      std::make_unique<OwnedThread>("exec-0", [this](std::stop_token stop) { Lead(stop); }));
  for (size_t rank = 1; rank < ranks_.size(); ++rank) {
    threads_.push_back(std::make_unique<OwnedThread>(
        absl::StrCat("exec-", rank), [this, rank](std::stop_token) { Follow(rank); }));
  }
}

LocalExecutor::~LocalExecutor() {
  {
    MutexLock lock(mutex_);
    BATON_CHECK(!unfinished_) << "executor: destroyed with a step unfinished";
    stopping_ = true;
  }
  changed_.SignalAll();
  for (const auto& queue : followers_) queue->Close();
}

absl::Status LocalExecutor::Begin(const StepPlan& plan) {
  {
    MutexLock lock(mutex_);
    if (unfinished_) return Internal(absl::StrCat("begin step ", plan.step, ": one is unfinished"));
    unfinished_ = true;
    begun_ = &plan;
  }
  changed_.SignalAll();
  return absl::OkStatus();
}

absl::StatusOr<StepResult> LocalExecutor::Finish() {
  MutexLock lock(mutex_);
  if (!unfinished_) return Internal("finish step: none was begun");
  while (result_ == nullptr) changed_.Wait(lock);
  unfinished_ = false;
  return std::move(*std::exchange(result_, nullptr));
}

void LocalExecutor::Lead(std::stop_token) {
  while (true) {
    const StepPlan* plan = nullptr;
    {
      MutexLock lock(mutex_);
      while (begun_ == nullptr && !stopping_) changed_.Wait(lock);
      if (begun_ == nullptr) return;
      plan = std::exchange(begun_, nullptr);
    }
    auto result = std::make_unique<absl::StatusOr<StepResult>>(Execute(*plan));
    {
      MutexLock lock(mutex_);
      result_ = std::move(result);
    }
    changed_.SignalAll();
  }
}

void LocalExecutor::Follow(size_t rank) {
  RankRunner& runner = *ranks_[rank];
  while (std::optional<std::string> bytes = followers_[rank - 1]->Pop()) {
    const absl::StatusOr<StepPlan> plan = ParsePlan(*bytes);
    const absl::Status status = plan.ok() ? runner.Run(*plan, info_).status() : plan.status();
    if (!status.ok()) runner.communicator().Abort(status);
  }
}

absl::StatusOr<StepResult> LocalExecutor::Execute(const StepPlan& plan) {
  masks_.Begin(plan);
  const absl::StatusOr<ConstMatrix> logits = RunAllRanks(plan);
  if (logits.ok()) return SampleAll(plan, *logits);
  const absl::Status failure = Annotate(logits.status(), absl::StrCat("step ", plan.step));
  if (ranks_.size() > 1) {
    ranks_.front()->communicator().Abort(failure);
    if (on_broken_) std::exchange(on_broken_, nullptr)(failure);
  }
  return failure;
}

absl::StatusOr<ConstMatrix> LocalExecutor::RunAllRanks(const StepPlan& plan) {
  RETURN_IF_ERROR(SendToFollowers(plan));
  return ranks_.front()->Run(plan, info_);
}

absl::Status LocalExecutor::SendToFollowers(const StepPlan& plan) {
  if (followers_.empty()) return absl::OkStatus();
  const std::string bytes = SerializePlan(plan);
  for (const auto& queue : followers_) {
    if (queue->Push(bytes) == PushResult::kPushed) continue;
    return Internal("a rank has stopped");
  }
  return absl::OkStatus();
}

SampledToken LocalExecutor::SampleOne(Sampler& sampler, absl::Span<const float> logits,
                                      const SampleRequest& request,
                                      const OutputConstraint::View& view) const {
  using Outcome = SampledToken::Outcome;
  if (request.constraint == nullptr) return sampler.Sample(logits, request);
  SampledToken sampled;
  if (view.state != OutputConstraint::State::kReady) {
    const bool failed = view.state == OutputConstraint::State::kFailed;
    sampled.outcome = failed ? Outcome::kFailed : Outcome::kDeferred;
    sampled.status = view.status;
    return sampled;
  }
  SampleRequest constrained = request;
  constrained.allowed = view.mask;
  sampled = sampler.Sample(logits, constrained);
  if (request.constraint->IsEnd(sampled.token)) sampled.outcome = Outcome::kDrawnLast;
  return sampled;
}

absl::StatusOr<StepResult> LocalExecutor::SampleAll(const StepPlan& plan,
                                                    const ConstMatrix& logits) {
  StepResult result;
  result.samples.resize(plan.samples.size());
  if (!plan.scores.empty()) ScoreAll(plan, logits, result);
  if (plan.samples.empty()) return result;
  const absl::Span<const OutputConstraint::View> views = masks_.Settle(plan);
  RankRunner& leader = *ranks_.front();
  std::atomic<const SampleRequest*> hopeless = nullptr;
  leader.threads().Run([&](const ComputeSlice& slice) {
    Sampler& sampler = *samplers_[static_cast<size_t>(slice.index())];
    const ComputeSlice::Range share = slice.Share(static_cast<int64_t>(plan.samples.size()));
    for (auto i = static_cast<size_t>(share.begin); i < static_cast<size_t>(share.end); ++i) {
      const SampleRequest& request = plan.samples[i];
      const int32_t row = leader.batch().LogitRowOf(request.row);
      const absl::Span<const float> of_row = LogitsAt(logits, row);
      if (!std::isfinite(MaxOf(of_row))) hopeless = &request;
      result.samples[i] = SampleOne(sampler, of_row, request, views[i]);
    }
  });
  if (const SampleRequest* request = hopeless) {
    return Internal(absl::StrCat("step ", plan.step, ": sequence=", request->sequence.value(),
                                 " has logits without a finite maximum"));
  }
  return result;
}

absl::Span<const float> LocalExecutor::LogitsAt(const ConstMatrix& logits, int32_t row) const {
  return {logits.row<float>(row), static_cast<size_t>(info_.vocab_size)};
}

void LocalExecutor::ScoreAll(const StepPlan& plan, const ConstMatrix& logits, StepResult& result) {
  RankRunner& leader = *ranks_.front();
  for (const ScoreRequest& score : plan.scores) {
    std::vector<TokenLogprob>& scored = result.scores.emplace_back(score.tokens.size());
    const int32_t first = leader.batch().FirstLogitRowOf(plan, score.row);
    leader.threads().Run([&](const ComputeSlice& slice) {
      Sampler& sampler = *samplers_[static_cast<size_t>(slice.index())];
      const ComputeSlice::Range share = slice.Share(static_cast<int64_t>(scored.size()));
      for (int64_t i = share.begin; i < share.end; ++i) {
        scored[static_cast<size_t>(i)] =
            sampler.Score(LogitsAt(logits, first + static_cast<int32_t>(i)),
                          score.tokens[static_cast<size_t>(i)], *score.params->prompt_logprobs);
      }
    });
  }
}

}  // namespace baton::worker
