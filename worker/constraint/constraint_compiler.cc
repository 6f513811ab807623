#include "worker/constraint/constraint_compiler.h"

#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::worker {
namespace {

// Requests that decode come first; one that waits for its grammar can wait a little longer.
constexpr int kNiceness = 5;

}  // namespace

ConstraintCompiler::ConstraintCompiler(const Tokenizer& tokenizer, Options options)
    : tokenizer_(tokenizer),
      options_(std::move(options)),
      threads_({.name = "compile",
                .thread_count = options_.thread_count,
                .queue_length_max = options_.waiting_max,
                .niceness = kNiceness,
                .task_time_max = options_.compile_time_max,
                .clock = options_.clock}) {}

absl::StatusOr<const TokenVocabulary*> ConstraintCompiler::Vocabulary() {
  MutexLock lock(vocabulary_mutex_);
  if (!vocabulary_.has_value()) {
    vocabulary_ = TokenVocabulary::Create(tokenizer_, options_.vocabulary);
  }
  if (!vocabulary_->ok()) return vocabulary_->status();
  return (*vocabulary_)->get();
}

void ConstraintCompiler::WarmUp() {
  threads_.Run([this] { (void)Vocabulary(); }, [](const absl::Status&) {});
}

std::optional<ConstraintCompiler::GrammarOr> ConstraintCompiler::FindLocked(
    const std::string& key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end() || !entry->second.settled.has_value()) return std::nullopt;
  by_use_.splice(by_use_.begin(), by_use_, entry->second.by_use);
  return entry->second.settled;
}

bool ConstraintCompiler::TryPrepare(RequestConstraint& constraint) {
  std::optional<GrammarOr> known;
  {
    MutexLock lock(mutex_);
    known = FindLocked(GrammarKey(constraint.spec()));
  }
  if (!known.has_value() || !known->ok()) return false;
  constraint.Adopt(**std::move(known), **Vocabulary());
  return true;
}

void ConstraintCompiler::Prepare(std::shared_ptr<RequestConstraint> constraint,
                                 std::vector<TokenId> resumed, Done done) {
  const std::string key = GrammarKey(constraint->spec());
  const ConstraintSpec spec = constraint->spec();
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[key];
    entry.waiting.push_back({std::move(constraint), std::move(resumed), std::move(done)});
    if (entry.waiting.size() > 1) return;  // whoever came first has it compiled
  }
  const auto grammar = std::make_shared<GrammarOr>(nullptr);
  threads_.Run([this, key, spec, grammar] { *grammar = Compile(key, spec); },
               [this, key, grammar](const absl::Status& status) {
                 if (status.ok()) return Settle(key, *grammar, grammar->ok());
                 // What is overdue is not tried again: it would cost another thread.
                 Settle(key, status, absl::IsInvalidArgument(status));
               });
}

ConstraintCompiler::GrammarOr ConstraintCompiler::Compile(const std::string& key,
                                                          const ConstraintSpec& spec) {
  {
    MutexLock lock(mutex_);
    if (std::optional<GrammarOr> known = FindLocked(key)) return *std::move(known);
  }
  ASSIGN_OR_RETURN(const TokenVocabulary* vocabulary, Vocabulary());
  return CompiledGrammar::Compile(spec, *vocabulary);
}

void ConstraintCompiler::Settle(const std::string& key, const GrammarOr& grammar, bool remember) {
  std::vector<Task> waiting;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[key];
    waiting = std::exchange(entry.waiting, {});
    if (!entry.settled.has_value()) {
      if (remember) {
        entry.settled = grammar;
        by_use_.push_front(key);
        entry.by_use = by_use_.begin();
      } else {
        entries_.erase(key);
      }
    }
    if (by_use_.size() > kGrammarsMax) {
      const auto oldest = entries_.find(by_use_.back());
      if (oldest->second.waiting.empty()) {
        entries_.erase(oldest);
      } else {
        oldest->second.settled.reset();
      }
      by_use_.pop_back();
    }
  }
  for (Task& task : waiting) Finish(task, grammar);
}

void ConstraintCompiler::Finish(Task& task, const GrammarOr& grammar) {
  if (!grammar.ok()) return task.done(grammar.status());
  task.constraint->Adopt(*grammar, **Vocabulary());
  task.done(task.resumed.empty() ? absl::OkStatus()
                                 : task.constraint->choice(0).Resume(task.resumed));
}

}  // namespace baton::worker
