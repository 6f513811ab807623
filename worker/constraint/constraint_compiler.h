// Turns constraints into grammars while prompts are computed: on threads of its own, each
// constraint once.
//
//   if (!compiler.TryPrepare(*constraint)) {          // known already: no need to wait
//     compiler.Prepare(constraint, resumed, [](const absl::Status& s) { ... });
//   }
//
// Threading: thread-safe. `done` is called exactly once, on a thread of the compiler or by the
//            caller, with no lock held; it must not block.
// Ownership: the tokenizer outlives the compiler, which outlives all grammars that it made. Stop
//            ends the threads; `done` of what still waits is called with UNAVAILABLE.
// Errors:    INVALID_ARGUMENT for what cannot be enforced or takes too long to compile, and for
//            resumed output that does not fit; UNAVAILABLE, with a time to retry after, when too
//            many wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "common/constraint/grammar_answers.h"
#include "worker/constraint/request_constraint.h"

namespace baton::worker {

class ConstraintCompiler {
 public:
  struct Options {
    TokenVocabulary::Options vocabulary;
    int thread_count = 1;
    size_t waiting_max = 1024;
    Duration compile_time_max = std::chrono::seconds(10);
    Clock& clock = RealClock();
  };
  using Done = std::function<void(const absl::Status&)>;

  static constexpr size_t kGrammarsMax = 128;

  ConstraintCompiler(const Tokenizer& tokenizer, Options options);

  // Gives the constraint its grammar if that is known.
  bool TryPrepare(RequestConstraint& constraint);

  // Gives the constraint its grammar and lets its first choice consume `resumed`.
  void Prepare(std::shared_ptr<RequestConstraint> constraint, std::vector<TokenId> resumed,
               Done done);

  // Loads the vocabulary now, so that the first constraint need not wait for it.
  void WarmUp();

  void Stop() { grammars_.Stop(); }

 private:
  using GrammarOr = absl::StatusOr<std::shared_ptr<const CompiledGrammar>>;

  GrammarOr Compile(const ConstraintSpec& spec);
  absl::StatusOr<const TokenVocabulary*> Vocabulary();

  const Tokenizer& tokenizer_;
  const Options options_;

  Mutex vocabulary_mutex_;
  std::optional<absl::StatusOr<std::unique_ptr<const TokenVocabulary>>> vocabulary_
      ABSL_GUARDED_BY(vocabulary_mutex_);

  GrammarAnswers<GrammarOr> grammars_;  // last: its threads use all of the above
};

}  // namespace baton::worker
