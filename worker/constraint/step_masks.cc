#include "worker/constraint/step_masks.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/base/processor_count.h"

namespace baton::worker {
namespace {

using State = OutputConstraint::State;

constexpr size_t kQueueMax = size_t{1} << 16;  // more than sequences can run

OutputConstraint& ChoiceOf(const SampleRequest& sample) {
  return sample.constraint->choice(sample.constraint_choice);
}

absl::Span<const TokenId> OutputOf(const SampleRequest& sample) {
  return sample.history.subspan(static_cast<size_t>(sample.prompt_count));
}

}  // namespace

StepMasks::StepMasks(int thread_count)
    : thread_count_(thread_count > 0 ? thread_count
                                     : std::clamp(UsableProcessorCount() / 4, 1, 8)) {}

void StepMasks::Begin(const StepPlan& plan) {
  constrained_ = false;
  for (const SampleRequest& sample : plan.samples) {
    if (sample.constraint == nullptr) continue;
    constrained_ = true;
    OutputConstraint& choice = ChoiceOf(sample);
    if (!choice.Begin(OutputOf(sample))) continue;
    if (threads_ == nullptr) {
      threads_ = std::make_unique<GrammarThreads>(GrammarThreads::Options{
          .name = "mask", .thread_count = thread_count_, .queue_length_max = kQueueMax});
    }
    threads_->Run([&choice, keep = sample.constraint->shared_from_this()] { choice.Advance(); },
                  [progress = progress_](const absl::Status&) {  // not OK: the worker is ending
                    {
                      MutexLock lock(progress->mutex);
                      ++progress->done;
                    }
                    progress->changed.SignalAll();
                  });
  }
}

absl::Span<const OutputConstraint::View> StepMasks::Settle(const StepPlan& plan) {
  views_.assign(plan.samples.size(), {.state = State::kReady});
  if (!constrained_) return views_;
  while (true) {
    uint64_t seen = 0;
    {
      MutexLock lock(progress_->mutex);
      seen = progress_->done;
    }
    LookAt(plan);
    if (AnythingToDraw(plan)) break;
    MutexLock lock(progress_->mutex);
    while (progress_->done == seen) progress_->changed.Wait(lock);
  }
  return views_;
}

void StepMasks::LookAt(const StepPlan& plan) {
  for (size_t i = 0; i < plan.samples.size(); ++i) {
    const SampleRequest& sample = plan.samples[i];
    if (sample.constraint != nullptr) views_[i] = ChoiceOf(sample).Look(OutputOf(sample).size());
  }
  MakeRowsAgree(plan);
}

// Samples of one row are neighbours.
void StepMasks::MakeRowsAgree(const StepPlan& plan) {
  for (size_t begin = 0; begin < views_.size();) {
    size_t end = begin;
    bool late = false;
    for (; end < views_.size() && plan.samples[end].row == plan.samples[begin].row; ++end) {
      late = late || views_[end].state == State::kPending;
    }
    for (; begin < end; ++begin) {
      if (late) views_[begin] = {};
    }
  }
}

// Whether the step is of use as it is: something is drawn, or a prompt got on.
bool StepMasks::AnythingToDraw(const StepPlan& plan) const {
  const bool drawn = std::any_of(views_.begin(), views_.end(),
                                 [](const auto& view) { return view.state != State::kPending; });
  return drawn || std::any_of(plan.rows.begin(), plan.rows.end(),
                              [](const PlanRow& row) { return !row.logits; });
}

}  // namespace baton::worker
