#include "worker/constraint/constraint_compiler.h"

#include <utility>

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
      grammars_(kGrammarsMax, {.name = "compile",
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
  grammars_.threads().Run([this] { (void)Vocabulary(); }, [](const absl::Status&) {});
}

bool ConstraintCompiler::TryPrepare(RequestConstraint& constraint) {
  const std::optional<GrammarOr> known = grammars_.Find(GrammarKey(constraint.spec()));
  if (!known.has_value() || !known->ok()) return false;
  constraint.Adopt(**known, **Vocabulary());
  return true;
}

void ConstraintCompiler::Prepare(std::shared_ptr<RequestConstraint> constraint,
                                 std::vector<TokenId> resumed, Done done) {
  const ConstraintSpec spec = constraint->spec();
  grammars_.Get(
      GrammarKey(spec), [this, spec] { return Compile(spec); },
      [this, constraint = std::move(constraint), resumed = std::move(resumed),
       done = std::move(done)](const GrammarOr& grammar) {
        if (!grammar.ok()) return done(grammar.status());
        constraint->Adopt(*grammar, **Vocabulary());
        done(resumed.empty() ? absl::OkStatus() : constraint->choice(0).Resume(resumed));
      });
}

ConstraintCompiler::GrammarOr ConstraintCompiler::Compile(const ConstraintSpec& spec) {
  ASSIGN_OR_RETURN(const TokenVocabulary* vocabulary, Vocabulary());
  return CompiledGrammar::Compile(spec, *vocabulary);
}

}  // namespace baton::worker
