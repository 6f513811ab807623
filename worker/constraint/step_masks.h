// The masks of one step: computed on threads of its own while the model runs, looked at when the
// logits are there.
//
//   masks.Begin(plan);
//   ... the model runs ...
//   absl::Span<const OutputConstraint::View> views = masks.Settle(plan);   // parallel to samples
//
// A sample whose mask is late has a View that is kPending: it is to be drawn in a later step. All
// samples of one row are drawn in the same step, so one that is late makes the others of its row
// late. Settle waits only if nothing could be drawn without waiting.
//
// Threading: Begin and Settle by the executor's leading thread.
// Ownership: what runs keeps its request's constraint alive, whatever becomes of the request.
#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/types/span.h"
#include "common/concurrency/mutex.h"
#include "common/constraint/grammar_threads.h"
#include "worker/constraint/request_constraint.h"
#include "worker/engine/step_plan.h"

namespace baton::worker {

class StepMasks {
 public:
  // `thread_count` 0: by the number of processors.
  explicit StepMasks(int thread_count = 0);

  void Begin(const StepPlan& plan);
  absl::Span<const OutputConstraint::View> Settle(const StepPlan& plan);

 private:
  // News from the threads, which may outlive a step.
  struct Progress {
    Mutex mutex;
    CondVar changed;
    uint64_t done ABSL_GUARDED_BY(mutex) = 0;
  };

  void LookAt(const StepPlan& plan);
  bool AnythingToDraw(const StepPlan& plan) const;
  void MakeRowsAgree(const StepPlan& plan);

  const std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
  std::vector<OutputConstraint::View> views_;
  bool constrained_ = false;                 // the step under way has constrained samples
  std::unique_ptr<GrammarThreads> threads_;  // made when first needed
  const int thread_count_;
};

}  // namespace baton::worker
