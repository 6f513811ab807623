#include "common/constraint/compiled_grammar.h"

#include <llguidance.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/constraint/grammar_source.h"

namespace baton {
namespace {

// A state of the lexer takes 1-2 kB and every output has its own: this bounds them to some 15 MB.
constexpr size_t kLexerStatesMax = 10'000;
// An object of n optional properties takes 5 n items and more.
constexpr size_t kItemsInRowMax = 20'000;
constexpr size_t kItemsPerMaskMax = 500'000;  // some 25 ms
constexpr size_t kMessageBytesMax = 1000;

LlgConstraintInit InitFor(const TokenVocabulary& vocabulary) {
  LlgConstraintInit init = {};
  llg_constraint_init_set_defaults(&init, vocabulary.handle());
  init.log_buffer_level = 0;
  init.log_stderr_level = 0;
  init.limits.max_lexer_states = kLexerStatesMax;
  init.limits.max_items_in_row = kItemsInRowMax;
  init.limits.step_max_items = kItemsPerMaskMax;
  init.limits.verbose_errors = false;  // they would quote the output
  return init;
}

// The engine's message shows pieces of the source, which is the caller's own.
absl::Status Refusal(const GrammarSource& source, std::string_view message) {
  return InvalidArgument(
      absl::StrCat(source.subject, ": ", std::string(message.substr(0, kMessageBytesMax))));
}

absl::StatusOr<Matcher> MakeMatcher(const ConstraintSpec& spec, const TokenVocabulary& vocabulary) {
  ASSIGN_OR_RETURN(const GrammarSource source, LowerConstraint(spec, vocabulary));
  const LlgConstraintInit init = InitFor(vocabulary);
  LlgMatcher* handle = llg_new_matcher(&init, source.dialect, source.text.c_str());
  Matcher matcher(handle);
  if (const char* message = llg_matcher_get_error(handle)) return Refusal(source, message);
  return matcher;
}

// Grammars without any text are found out here.
absl::Status FirstMask(Matcher& matcher, absl::Span<uint32_t> mask) {
  if (matcher.ComputeMask(mask).ok()) return absl::OkStatus();
  return InvalidArgument("constraint: nothing can match it, or it is too complex");
}

}  // namespace

absl::StatusOr<std::shared_ptr<const CompiledGrammar>> CompiledGrammar::Compile(
    const ConstraintSpec& spec, const TokenVocabulary& vocabulary) {
  ASSIGN_OR_RETURN(Matcher prototype, MakeMatcher(spec, vocabulary));
  std::vector<uint32_t> mask(vocabulary.mask_words());
  RETURN_IF_ERROR(FirstMask(prototype, absl::MakeSpan(mask)));
  return std::shared_ptr<const CompiledGrammar>(
      new CompiledGrammar(std::move(prototype), std::move(mask)));
}

Matcher CompiledGrammar::NewMatcher() const {
  MutexLock lock(mutex_);
  return prototype_.Clone();
}

absl::Status CheckConstraint(const ConstraintSpec& spec, const TokenVocabulary& vocabulary) {
  ASSIGN_OR_RETURN(Matcher matcher, MakeMatcher(spec, vocabulary));
  std::vector<uint32_t> mask(vocabulary.mask_words());
  return FirstMask(matcher, absl::MakeSpan(mask));
}

}  // namespace baton
