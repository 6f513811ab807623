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
                .niceness = kNiceness}) {}

ConstraintCompiler::~ConstraintCompiler() { Stop(); }

absl::StatusOr<const TokenVocabulary*> ConstraintCompiler::Vocabulary() {
  MutexLock lock(vocabulary_mutex_);
  if (!vocabulary_.has_value()) {
    vocabulary_ = TokenVocabulary::Create(tokenizer_, options_.vocabulary);
  }
  if (!vocabulary_->ok()) return vocabulary_->status();
  return (*vocabulary_)->get();
}

void ConstraintCompiler::WarmUp() {
  const absl::Status status = threads_.Run([this] { (void)Vocabulary(); });
  (void)status;  // stopping: nothing to warm
}

ConstraintCompiler::Grammar ConstraintCompiler::FindLocked(const std::string& key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end() || entry->second.grammar == nullptr) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, entry->second.by_use);
  return entry->second.grammar;
}

bool ConstraintCompiler::TryPrepare(RequestConstraint& constraint) {
  Grammar grammar;
  {
    MutexLock lock(mutex_);
    grammar = FindLocked(GrammarKey(constraint.spec()));
  }
  if (grammar == nullptr) return false;
  constraint.Adopt(std::move(grammar), **Vocabulary());
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
  const absl::Status status = threads_.Run([this, key, spec] { CompileOnThread(key, spec); });
  if (!status.ok()) Settle(key, status);
}

void ConstraintCompiler::CompileOnThread(const std::string& key, const ConstraintSpec& spec) {
  Grammar known;
  {
    MutexLock lock(mutex_);
    known = FindLocked(key);
  }
  if (known != nullptr) return Settle(key, known);
  const absl::StatusOr<const TokenVocabulary*> vocabulary = Vocabulary();
  Settle(key, vocabulary.ok() ? CompiledGrammar::Compile(spec, **vocabulary)
                              : GrammarOr(vocabulary.status()));
}

// Remembers a grammar, forgets a failure, and tells those who wait.
void ConstraintCompiler::Settle(const std::string& key, const GrammarOr& grammar) {
  std::vector<Task> waiting;
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[key];
    waiting = std::exchange(entry.waiting, {});
    if (!grammar.ok()) {
      if (entry.grammar == nullptr) entries_.erase(key);
    } else if (entry.grammar == nullptr) {
      entry.grammar = *grammar;
      by_use_.push_front(key);
      entry.by_use = by_use_.begin();
    }
    while (by_use_.size() > kGrammarsMax) {
      const auto oldest = entries_.find(by_use_.back());
      if (oldest->second.waiting.empty()) {
        entries_.erase(oldest);
      } else {
        oldest->second.grammar = nullptr;
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

void ConstraintCompiler::Stop() {
  threads_.Stop();
  std::vector<Task> waiting;
  {
    MutexLock lock(mutex_);
    for (auto& [key, entry] : entries_) {
      for (Task& task : entry.waiting) waiting.push_back(std::move(task));
      entry.waiting.clear();
    }
  }
  for (Task& task : waiting) task.done(Unavailable("constraint: the worker is stopping"));
}

}  // namespace baton::worker
