#include "frontend/generation/constraint_validator.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/constraint/compiled_grammar.h"

namespace baton::frontend {

ConstraintValidator::ConstraintValidator() : ConstraintValidator(Options()) {}

ConstraintValidator::ConstraintValidator(const Options& options)
    : answers_(kAnswersMax, {.name = "grammar",
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

void ConstraintValidator::Check(ModelPtr model, const ConstraintSpec& spec, Done done) {
  const std::string key = absl::StrCat(model->card_digest, ";", GrammarKey(spec));
  if (const std::optional<absl::Status> known = answers_.Find(key)) return done(*known);
  answers_.Get(
      key, [this, model = std::move(model), spec] { return CheckOnThread(model, spec); },
      std::move(done));
}

}  // namespace baton::frontend
