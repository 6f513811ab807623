#include "common/constraint/grammar_source.h"

#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/constraint/gbnf.h"
#include "common/constraint/gbnf_lark.h"
#include "common/constraint/json_schema.h"
#include "common/constraint/lark_text.h"
#include "common/constraint/string_rules.h"
#include "common/constraint/structural_tag_lark.h"
#include "common/constraint/structural_tag_reader.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

using Kind = ConstraintSpec::Kind;

constexpr size_t kChoicesMax = 4096;
constexpr size_t kRegexBytesMax = size_t{16} << 10;

absl::StatusOr<GrammarSource> LowerSchema(const ConstraintSpec& spec, std::string_view schema) {
  ASSIGN_OR_RETURN(std::string text, PrepareJsonSchema(schema, spec.layout));
  return GrammarSource{.dialect = "json_schema", .text = std::move(text), .subject = "JSON schema"};
}

absl::StatusOr<GrammarSource> LowerRegex(const ConstraintSpec& spec) {
  if (spec.text.empty()) return InvalidArgument("regex: is empty");
  if (spec.text.size() > kRegexBytesMax) {
    return InvalidArgument(
        absl::StrCat("regex: ", spec.text.size(), " bytes, at most ", kRegexBytesMax));
  }
  return GrammarSource{
      .dialect = "regex", .text = WithoutOuterAnchors(spec.text), .subject = "regex"};
}

// One terminal, so that no choice hides another of which it is the beginning.
absl::StatusOr<GrammarSource> LowerChoice(const ConstraintSpec& spec) {
  if (spec.choices.empty()) return InvalidArgument("choice: is empty");
  if (spec.choices.size() > kChoicesMax) {
    return InvalidArgument(
        absl::StrCat("choice: ", spec.choices.size(), " of them, at most ", kChoicesMax));
  }
  std::vector<std::string> literals;
  size_t bytes = 0;
  for (const std::string& choice : spec.choices) {
    bytes += choice.size();
    if (!choice.empty()) literals.push_back(LarkString(choice));
  }
  const bool may_be_empty = literals.size() < spec.choices.size();
  if (literals.empty()) return GrammarSource{.text = "start: \"\"\n", .subject = "choice"};
  if (bytes > kGrammarBytesMax) {
    return InvalidArgument(absl::StrCat("choice: ", bytes, " bytes, at most ", kGrammarBytesMax));
  }
  return GrammarSource{.text = absl::StrCat("start: CHOICE", may_be_empty ? "?" : "",
                                            "\nCHOICE: ", absl::StrJoin(literals, " | "), "\n"),
                       .subject = "choice"};
}

absl::StatusOr<GrammarSource> LowerGrammar(const ConstraintSpec& spec,
                                           const TokenVocabulary& vocabulary) {
  if (spec.text.size() > kGrammarBytesMax) {
    return InvalidArgument(
        absl::StrCat("grammar: ", spec.text.size(), " bytes, at most ", kGrammarBytesMax));
  }
  GrammarSource source{.text = {}, .subject = "grammar"};
  if (!LooksLikeGbnf(spec.text)) {
    ASSIGN_OR_RETURN(source.text, PrepareLark(spec.text, spec.layout, source.subject));
    return source;
  }
  absl::StatusOr<GbnfGrammar> grammar = ParseGbnf(spec.text);
  if (!grammar.ok()) return Annotate(grammar.status(), source.subject);
  ReplaceTailRecursion(*grammar);
  absl::StatusOr<std::string> lark = GbnfToLark(*grammar, vocabulary);
  if (!lark.ok()) return Annotate(lark.status(), source.subject);
  source.text = *std::move(lark);
  return source;
}

absl::StatusOr<GrammarSource> LowerTag(const ConstraintSpec& spec,
                                       const TokenVocabulary& vocabulary) {
  const absl::StatusOr<tag::Format> format = ReadStructuralTag(spec.text);
  if (!format.ok()) return Annotate(format.status(), "structural tag");
  absl::StatusOr<std::string> lark = StructuralTagToLark(*format, spec.layout, vocabulary);
  if (!lark.ok()) return Annotate(lark.status(), "structural tag");
  return GrammarSource{.text = *std::move(lark), .subject = "structural tag"};
}

absl::StatusOr<GrammarSource> LowerForm(const ConstraintSpec& spec,
                                        const TokenVocabulary& vocabulary) {
  switch (spec.kind) {
    case Kind::kJsonSchema:
      return LowerSchema(spec, spec.text);
    case Kind::kJsonObject:
      return LowerSchema(spec, R"({"type":"object"})");
    case Kind::kRegex:
      return LowerRegex(spec);
    case Kind::kChoice:
      return LowerChoice(spec);
    case Kind::kGrammar:
      return LowerGrammar(spec, vocabulary);
    case Kind::kStructuralTag:
      return LowerTag(spec, vocabulary);
  }
  return Internal("constraint: unknown kind");
}

// Anything up to the marker, then the grammar.
void PutBehind(const std::string& marker, GrammarSource& source) {
  const std::string_view dialect = source.dialect;
  std::string body;
  if (dialect == "json_schema") {
    body = "%json " + source.text;
  } else if (dialect == "regex") {
    body = LarkRegex(source.text);
  } else {
    body = absl::StrCat("%lark {\n", source.text, "\n}");
  }
  source.text = absl::StrCat("start: lead body\nlead[suffix=", LarkString(marker),
                             "]: ", kLarkAnyText, "\nbody: ", body, "\n");
  source.dialect = "lark";
}

}  // namespace

absl::StatusOr<GrammarSource> LowerConstraint(const ConstraintSpec& spec,
                                              const TokenVocabulary& vocabulary) {
  ASSIGN_OR_RETURN(GrammarSource source, LowerForm(spec, vocabulary));
  if (!spec.start_after_text.empty()) PutBehind(spec.start_after_text, source);
  // The engine reads up to the first NUL.
  if (source.text.find('\0') != std::string::npos) {
    return InvalidArgument(absl::StrCat(source.subject, ": contains a NUL character"));
  }
  if (!IsValidUtf8(source.text)) {
    return InvalidArgument(absl::StrCat(source.subject, ": is not UTF-8"));
  }
  return source;
}

}  // namespace baton
