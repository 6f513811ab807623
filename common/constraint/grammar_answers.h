// What came of grammars: each is worked out once, on threads of its own, and the latest are kept.
//
//   if (std::optional<absl::Status> known = answers.Find(key)) return done(*known);
//   answers.Get(key, [...] { return Check(...); }, [...](const absl::Status& status) { ... });
//
// An answer is an absl::Status or an absl::StatusOr. Good ones are remembered, and so is that a
// grammar takes too long: to find that out again would cost another thread. What else is wrong
// with a grammar is found out again as quickly as before, and is forgotten.
//
// Threading: thread-safe. `done` is called exactly once and with no lock held: on a thread of this,
//            or by the caller of Get when nothing can be worked out any more.
// Ownership: what `compute` uses must outlive this: it goes on when its answer is given up.
// Errors:    those of GrammarThreads, as answers. Those who ask for the same while it is being
//            worked out wait for one answer, and do not count among those that wait.
#pragma once

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
#include "common/concurrency/mutex.h"
#include "common/constraint/grammar_threads.h"

namespace baton {

template <typename Answer>
class GrammarAnswers {
 public:
  using Compute = std::function<Answer()>;
  using Done = std::function<void(const Answer&)>;

  GrammarAnswers(size_t answers_max, GrammarThreads::Options threads)
      : answers_max_(answers_max), threads_(std::move(threads)) {}

  // An answer that is remembered.
  std::optional<Answer> Find(const std::string& key) {
    MutexLock lock(mutex_);
    const auto known = answers_by_key_.find(key);
    if (known == answers_by_key_.end()) return std::nullopt;
    answers_.splice(answers_.begin(), answers_, known->second);
    return known->second->second;
  }

  // Computes the answer unless it is remembered or somebody else has it computed already.
  void Get(const std::string& key, Compute compute, Done done) {
    {
      MutexLock lock(mutex_);
      std::vector<Done>& waiting = waiting_[key];
      waiting.push_back(std::move(done));
      if (waiting.size() > 1) return;
    }
    const auto answer = std::make_shared<std::optional<Answer>>();
    threads_.Run(
        [this, key, compute = std::move(compute), answer] {
          *answer = Find(key);
          if (!answer->has_value()) *answer = compute();
        },
        [this, key, answer](const absl::Status& status) {
          if (status.ok()) return Settle(key, **answer, (*answer)->ok());
          Settle(key, Answer(status), absl::IsInvalidArgument(status));
        });
  }

  // For what is to be done on the same threads but has no answer.
  GrammarThreads& threads() { return threads_; }

  // Nothing is worked out any more; what waits is refused.
  void Stop() { threads_.Stop(); }

 private:
  void Settle(const std::string& key, const Answer& answer, bool remember) {
    std::vector<Done> told;
    {
      MutexLock lock(mutex_);
      if (remember) RememberLocked(key, answer);
      if (auto waiting = waiting_.extract(key)) told = std::move(waiting.mapped());
    }
    for (const Done& done : told) done(answer);
  }

  void RememberLocked(const std::string& key, const Answer& answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (answers_by_key_.contains(key)) return;
    answers_.emplace_front(key, answer);
    answers_by_key_[key] = answers_.begin();
    if (answers_.size() <= answers_max_) return;
    answers_by_key_.erase(answers_.back().first);
    answers_.pop_back();
  }

  using Answers = std::list<std::pair<std::string, Answer>>;

  const size_t answers_max_;

  Mutex mutex_;
  Answers answers_ ABSL_GUARDED_BY(mutex_);  // latest first
  absl::flat_hash_map<std::string, typename Answers::iterator> answers_by_key_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::vector<Done>> waiting_ ABSL_GUARDED_BY(mutex_);

  GrammarThreads threads_;  // last: they use all of the above
};

}  // namespace baton
