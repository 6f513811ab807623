// What a text must match, in the form in which somebody asked for it: a JSON schema, a regular
// expression, a choice, a grammar, a structural tag.
//
//   ConstraintSpec spec = ConstraintSpec::JsonSchema(R"({"type": "integer"})");
//   spec.start_after = {{think_end_id}};
//   RETURN_IF_ERROR(validator.Check(spec));      // or, where tokens are drawn:
//   ASSIGN_OR_RETURN(auto grammar, compiler.Compile(spec));
//
// A spec is data: nothing of it has been checked. Grammar (grammar_source.h) is what it becomes.
//
// Threading: plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/ids.h"

namespace baton {

// Of the JSON that schemas describe.
struct JsonLayout {
  bool compact = false;  // no white space at all
  // A regular expression for the white space between JSON tokens; absent: one line break at most,
  // and a bounded indent.
  std::optional<std::string> whitespace_pattern = {};
  bool closed_objects = false;  // additionalProperties is false where a schema does not say

  bool operator==(const JsonLayout&) const = default;
};

struct ConstraintSpec {
  enum class Kind : uint8_t {
    kJsonSchema,     // text: a JSON Schema document
    kJsonObject,     // any JSON object
    kRegex,          // text: an expression that matches the whole output
    kChoice,         // choices: one of them
    kGrammar,        // text: GBNF where it has "::=", else Lark
    kStructuralTag,  // text: JSON; see structural_tag.h
  };

  static ConstraintSpec JsonSchema(std::string schema) {
    return {.kind = Kind::kJsonSchema, .text = std::move(schema)};
  }
  static ConstraintSpec JsonObject() { return {.kind = Kind::kJsonObject}; }
  static ConstraintSpec Regex(std::string expression) {
    return {.kind = Kind::kRegex, .text = std::move(expression)};
  }
  static ConstraintSpec Choice(std::vector<std::string> choices) {
    return {.kind = Kind::kChoice, .choices = std::move(choices)};
  }
  static ConstraintSpec Grammar(std::string grammar) {
    return {.kind = Kind::kGrammar, .text = std::move(grammar)};
  }
  static ConstraintSpec StructuralTag(std::string json) {
    return {.kind = Kind::kStructuralTag, .text = std::move(json)};
  }

  Kind kind = Kind::kJsonObject;
  std::string text = {};
  std::vector<std::string> choices = {};
  JsonLayout layout = {};

  // The constraint begins after the first of these token sequences that is generated, such as the
  // end of reasoning. Before it, everything but the end of the output is allowed. Empty: at once.
  std::vector<std::vector<TokenId>> start_after = {};
  // The same for a marker that is spelled with ordinary tokens. Not together with start_after.
  std::string start_after_text = {};

  bool operator==(const ConstraintSpec&) const = default;
};

// Equal for specs with the same grammar, different for others: start_after is no part of a grammar.
std::string GrammarKey(const ConstraintSpec& spec);

}  // namespace baton
