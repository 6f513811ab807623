#include "frontend/api/constraint_validator.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/constraint/compiled_grammar.h"

namespace baton::frontend {

// One constraint to check. Answers when it has been checked, or when it is dropped unchecked.
class ConstraintValidator::Task {
 public:
  Task(ConstraintValidator& owner, std::string key, ModelPtr model, ConstraintSpec spec)
      : owner_(owner), key_(std::move(key)), model_(std::move(model)), spec_(std::move(spec)) {}
  ~Task() { Answer(Unavailable("constraint: it was not checked, as the process is stopping")); }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  void Run() {
    const absl::StatusOr<CheckerPtr> checker = owner_.CheckerOf(model_);
    Answer(checker.ok() ? CheckConstraint(spec_, *(*checker)->vocabulary) : checker.status());
  }

  void Answer(const absl::Status& answer) {
    if (!std::exchange(answered_, true)) owner_.Settle(key_, answer);
  }

 private:
  ConstraintValidator& owner_;
  const std::string key_;
  const ModelPtr model_;
  const ConstraintSpec spec_;
  bool answered_ = false;
};

ConstraintValidator::ConstraintValidator(int thread_count, size_t waiting_max)
    : threads_({.name = "grammar", .thread_count = thread_count, .queue_length_max = waiting_max}) {
}

ConstraintValidator::~ConstraintValidator() { Stop(); }

absl::StatusOr<ConstraintValidator::CheckerPtr> ConstraintValidator::CheckerOf(
    const ModelPtr& model) {
  MutexLock lock(checkers_mutex_);
  const auto known = std::find_if(checkers_.begin(), checkers_.end(), [&](const CheckerPtr& c) {
    return c->model->card_digest == model->card_digest;
  });
  if (known != checkers_.end()) {
    checkers_.splice(checkers_.begin(), checkers_, known);
    return checkers_.front();
  }
  std::vector<TokenId> ends = model->tokenizer->stop_ids();
  if (ends.empty() && model->eos_id.has_value()) ends.push_back(*model->eos_id);
  auto checker = std::make_shared<Checker>();
  checker->model = model;
  ASSIGN_OR_RETURN(checker->vocabulary,
                   TokenVocabulary::ForChecks(
                       *model->tokenizer, {.size = model->vocab_size, .end_ids = std::move(ends)}));
  checkers_.push_front(checker);
  if (checkers_.size() > kModelsMax) checkers_.pop_back();
  return CheckerPtr(checker);
}

bool ConstraintValidator::IsKnownLocked(const std::string& key) {
  const auto entry = good_by_key_.find(key);
  if (entry == good_by_key_.end()) return false;
  good_.splice(good_.begin(), good_, entry->second);
  return true;
}

void ConstraintValidator::RememberLocked(const std::string& key) {
  if (good_by_key_.contains(key)) return;
  good_.push_front(key);
  good_by_key_[key] = good_.begin();
  if (good_.size() <= kAnswersMax) return;
  good_by_key_.erase(good_.back());
  good_.pop_back();
}

void ConstraintValidator::Settle(const std::string& key, const absl::Status& answer) {
  std::vector<Done> told;
  {
    MutexLock lock(mutex_);
    if (answer.ok()) RememberLocked(key);
    if (auto waiting = waiting_.extract(key)) told = std::move(waiting.mapped());
  }
  for (const Done& done : told) done(answer);
}

void ConstraintValidator::Check(ModelPtr model, const ConstraintSpec& spec, Done done) {
  std::string key = absl::StrCat(model->card_digest, ";", GrammarKey(spec));
  bool known = false;
  {
    MutexLock lock(mutex_);
    known = IsKnownLocked(key);
    if (!known) {
      std::vector<Done>& waiting = waiting_[key];
      waiting.push_back(std::move(done));
      if (waiting.size() > 1) return;  // whoever came first has it checked
    }
  }
  if (known) return done(absl::OkStatus());
  const auto task = std::make_shared<Task>(*this, std::move(key), std::move(model), spec);
  const absl::Status status = threads_.Run([task] { task->Run(); });
  if (!status.ok()) task->Answer(status);
}

}  // namespace baton::frontend
