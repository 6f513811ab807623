// Checks constraints before anything is scheduled for their requests: on threads with deep stacks,
// each constraint once per model.
//
//   validator.Check(model, spec, [...](const absl::Status& status) { ... });
//
// Threading: thread-safe. `done` is called exactly once: by the caller of Check, when the answer is
//            known or nothing can be checked any more, or on a thread `grammar-N`.
// Ownership: shares the models of what it has checked lately, until others take their place.
// Errors:    INVALID_ARGUMENT as CheckConstraint has it, or for what takes too long to check;
//            UNAVAILABLE, with a time to retry after, when too many wait, or the process is
//            stopping. Those who ask for the same while it is being checked wait for one answer,
//            and do not count.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "common/constraint/constraint_spec.h"
#include "common/constraint/grammar_answers.h"
#include "common/constraint/token_vocabulary.h"
#include "frontend/client/model_context.h"

namespace baton::frontend {

class ConstraintValidator {
 public:
  static constexpr size_t kAnswersMax = 1024;
  static constexpr size_t kModelsMax = 16;

  using ModelPtr = std::shared_ptr<const ModelContext>;
  using Done = std::function<void(const absl::Status&)>;

  struct Options {
    int thread_count = 2;
    size_t waiting_max = 1024;
    Duration check_time_max = std::chrono::seconds(10);
    Clock& clock = RealClock();
  };

  ConstraintValidator();
  explicit ConstraintValidator(const Options& options);

  void Check(ModelPtr model, const ConstraintSpec& spec, Done done);

  // Nothing is checked any more; what waits is refused.
  void Stop() { answers_.Stop(); }

 private:
  // A model as grammars see it, kept alive by whoever uses it.
  struct Checker {
    ModelPtr model;
    std::unique_ptr<const TokenVocabulary> vocabulary;
  };
  using CheckerPtr = std::shared_ptr<const Checker>;

  absl::Status CheckOnThread(const ModelPtr& model, const ConstraintSpec& spec);
  absl::StatusOr<CheckerPtr> CheckerOf(const ModelPtr& model);

  Mutex checkers_mutex_;  // held while a model's tokens are read
  std::list<CheckerPtr> checkers_ ABSL_GUARDED_BY(checkers_mutex_);  // latest first

  GrammarAnswers<absl::Status> answers_;  // last: its threads use all of the above
};

}  // namespace baton::frontend
