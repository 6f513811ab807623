#include "common/constraint/compiled_grammar.h"

#include <llguidance.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/constraint/grammar_source.h"
#include "common/constraint/refused_part.h"

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

LlgMatcher* NewHandle(const GrammarSource& source, const TokenVocabulary& vocabulary) {
  const LlgConstraintInit init = InitFor(vocabulary);
  return llg_new_matcher(&init, source.dialect, source.text.c_str());
}

// What the engine says against a schema that stands alone, without the definition that it was at;
// empty: nothing.
std::string MessageAgainst(const ConstraintSpec& schema, const TokenVocabulary& vocabulary) {
  const absl::StatusOr<GrammarSource> source = LowerConstraint(schema, vocabulary);
  if (!source.ok()) return "";
  LlgMatcher* handle = NewHandle(*source, vocabulary);
  const Matcher owner(handle);
  const char* message = llg_matcher_get_error(handle);
  if (message == nullptr) return "";
  const std::string_view text = message;
  return std::string(text.substr(0, text.find("\n  while processing ")));
}

// "#/properties/name/pattern: ...". Empty where the schema is not to blame.
std::string PlacedMessage(const ConstraintSpec& spec, const TokenVocabulary& vocabulary) {
  ConstraintSpec part = spec;
  part.start_after_text.clear();
  const std::string message = MessageAgainst(part, vocabulary);
  if (message.empty()) return "";
  const std::string path = FindRefusedPart(spec.text, message, [&](const std::string& schema) {
    part.text = schema;
    return MessageAgainst(part, vocabulary);
  });
  const bool one_of = message.starts_with("oneOf constraints are not supported");
  return absl::StrCat(path, ": ",
                      one_of ? "its branches are not known to exclude each other" : message);
}

// The engine's message shows pieces of the source, which is the caller's own.
absl::Status Refusal(const GrammarSource& source, std::string_view message) {
  return InvalidArgument(
      absl::StrCat(source.subject, ": ", std::string(message.substr(0, kMessageBytesMax))));
}

absl::StatusOr<Matcher> MakeMatcher(const ConstraintSpec& spec, const TokenVocabulary& vocabulary) {
  ASSIGN_OR_RETURN(const GrammarSource source, LowerConstraint(spec, vocabulary));
  LlgMatcher* handle = NewHandle(source, vocabulary);
  Matcher matcher(handle);
  const char* message = llg_matcher_get_error(handle);
  if (message == nullptr) return matcher;
  if (spec.kind != ConstraintSpec::Kind::kJsonSchema) return Refusal(source, message);
  const std::string placed = PlacedMessage(spec, vocabulary);
  return Refusal(source, placed.empty() ? message : placed);
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
