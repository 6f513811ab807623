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
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/concurrency/mutex.h"
#include "common/constraint/grammar_threads.h"
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

  void Stop() { threads_.Stop(); }

 private:
  using GrammarOr = absl::StatusOr<std::shared_ptr<const CompiledGrammar>>;
  struct Task {
    std::shared_ptr<RequestConstraint> constraint;
    std::vector<TokenId> resumed;
    Done done;
  };
  // A grammar or why there cannot be one, or those who wait for it.
  struct Entry {
    std::optional<GrammarOr> settled;
    std::vector<Task> waiting;
    std::list<std::string>::iterator by_use;
  };

  std::optional<GrammarOr> FindLocked(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  GrammarOr Compile(const std::string& key, const ConstraintSpec& spec);
  void Settle(const std::string& key, const GrammarOr& grammar, bool remember);
  void Finish(Task& task, const GrammarOr& grammar);
  absl::StatusOr<const TokenVocabulary*> Vocabulary();

  const Tokenizer& tokenizer_;
  const Options options_;

  Mutex vocabulary_mutex_;
  std::optional<absl::StatusOr<std::unique_ptr<const TokenVocabulary>>> vocabulary_
      ABSL_GUARDED_BY(vocabulary_mutex_);

  Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::list<std::string> by_use_ ABSL_GUARDED_BY(mutex_);  // of those settled, latest first

  GrammarThreads threads_;  // last: they use all of the above
};

}  // namespace baton::worker
