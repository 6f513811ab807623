#include "frontend/api/constraint_validator.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/constraint/compiled_grammar.h"

namespace baton::frontend {

ConstraintValidator::ConstraintValidator() : ConstraintValidator(Options()) {}

ConstraintValidator::ConstraintValidator(const Options& options)
    : threads_({.name = "grammar",
                .thread_count = options.thread_count,
                .queue_length_max = options.waiting_max,
                .task_time_max = options.check_time_max,
                .clock = options.clock}) {}

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

absl::Status ConstraintValidator::CheckOnThread(const ModelPtr& model, const ConstraintSpec& spec) {
  ASSIGN_OR_RETURN(const CheckerPtr checker, CheckerOf(model));
  return CheckConstraint(spec, *checker->vocabulary);
}

const absl::Status* ConstraintValidator::FindLocked(const std::string& key) {
  const auto known = answers_by_key_.find(key);
  if (known == answers_by_key_.end()) return nullptr;
  answers_.splice(answers_.begin(), answers_, known->second);
  return &known->second->second;
}

void ConstraintValidator::RememberLocked(const std::string& key, const absl::Status& answer) {
  if (answers_by_key_.contains(key)) return;
  answers_.emplace_front(key, answer);
  answers_by_key_[key] = answers_.begin();
  if (answers_.size() <= kAnswersMax) return;
  answers_by_key_.erase(answers_.back().first);
  answers_.pop_back();
}

void ConstraintValidator::Settle(const std::string& key, const absl::Status& answer,
                                 bool remember) {
  std::vector<Done> told;
  {
    MutexLock lock(mutex_);
    if (remember) RememberLocked(key, answer);
    if (auto waiting = waiting_.extract(key)) told = std::move(waiting.mapped());
  }
  for (const Done& done : told) done(answer);
}

void ConstraintValidator::Check(ModelPtr model, const ConstraintSpec& spec, Done done) {
  const std::string key = absl::StrCat(model->card_digest, ";", GrammarKey(spec));
  std::optional<absl::Status> known;
  {
    MutexLock lock(mutex_);
    if (const absl::Status* answer = FindLocked(key)) {
      known = *answer;
    } else {
      std::vector<Done>& waiting = waiting_[key];
      waiting.push_back(std::move(done));
      if (waiting.size() > 1) return;  // whoever came first has it checked
    }
  }
  if (known.has_value()) return done(*known);
  const auto answer = std::make_shared<absl::Status>();
  threads_.Run(
      [this, model = std::move(model), spec, answer] { *answer = CheckOnThread(model, spec); },
      [this, key, answer](const absl::Status& status) {
        if (status.ok()) return Settle(key, *answer, answer->ok());
        // What is overdue is not tried again: it would cost another thread.
        Settle(key, status, absl::IsInvalidArgument(status));
      });
}

}  // namespace baton::frontend
