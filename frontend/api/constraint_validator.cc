#include "frontend/api/constraint_validator.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/constraint/compiled_grammar.h"

namespace baton::frontend {

// Answers when it has been checked, or when it is dropped unchecked.
struct ConstraintValidator::Waiting {
  ModelPtr model;
  ConstraintSpec spec;
  Done done;

  ~Waiting() {
    if (done) done(Unavailable("constraint: it was not checked, as the process is stopping"));
  }
};

ConstraintValidator::ConstraintValidator(int thread_count, size_t waiting_max)
    : threads_({.name = "grammar", .thread_count = thread_count, .queue_length_max = waiting_max}) {
}

ConstraintValidator::~ConstraintValidator() { Stop(); }

absl::StatusOr<ConstraintValidator::CheckerPtr> ConstraintValidator::CheckerOf(
    const ModelPtr& model) {
  MutexLock lock(mutex_);
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

void ConstraintValidator::Remember(const std::string& key) {
  MutexLock lock(mutex_);
  if (good_by_key_.contains(key)) return;
  good_.push_front(key);
  good_by_key_[key] = good_.begin();
  if (good_.size() <= kAnswersMax) return;
  good_by_key_.erase(good_.back());
  good_.pop_back();
}

void ConstraintValidator::Check(ModelPtr model, const ConstraintSpec& spec, Done done) {
  const std::string key = absl::StrCat(model->card_digest, ";", GrammarKey(spec));
  bool known = false;
  {
    MutexLock lock(mutex_);
    const auto entry = good_by_key_.find(key);
    known = entry != good_by_key_.end();
    if (known) good_.splice(good_.begin(), good_, entry->second);
  }
  if (known) return done(absl::OkStatus());
  auto waiting = std::make_shared<Waiting>(std::move(model), spec, std::move(done));
  const absl::Status status = threads_.Run([this, key, waiting] {
    const absl::StatusOr<CheckerPtr> checker = CheckerOf(waiting->model);
    absl::Status result = checker.status();
    if (result.ok()) result = CheckConstraint(waiting->spec, *(*checker)->vocabulary);
    if (result.ok()) Remember(key);
    std::exchange(waiting->done, nullptr)(result);
  });
  if (!status.ok()) {
    if (Done refused = std::exchange(waiting->done, nullptr)) refused(status);
  }
}

}  // namespace baton::frontend
