// Free text with constrained parts, as a tree: what tool calls look like. Its JSON form is the
// structural-tag dialect that clients of vLLM and SGLang send; in C++ it is put together from these
// functions:
//
//   using namespace baton::tag;
//   Format call = Tag(Text("<tool_call>\n{\"name\": \"f\", \"arguments\": "),
//                     JsonSchema(parameters), Text("}\n</tool_call>"));
//   ConstraintSpec spec = ToSpec(TriggeredTags({Text("<tool_call>")}, {call},
//                                              {.at_least_one = true}));
//
// Text is literal; a special token is matched by Token alone, never by its spelling in a Text.
//
// Threading: plain data.
// Errors:    none here; what cannot be enforced is refused when the spec is checked, with the path
//            of its Format in the message ("format.tags[0].content.json_schema...").
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/constraint/constraint_spec.h"

namespace baton::tag {

enum class Kind : uint8_t {
  kText,        // "const_string"
  kToken,       // "token": a special token by its name, "<|tool_call|>"
  kJsonSchema,  // "json_schema"
  kRegex,       // "regex"
  kGrammar,     // "grammar": GBNF or Lark
  kAnyText,     // "any_text"
  kSequence,    // "sequence"
  kOr,          // "or"
  kRepeat,      // "repeat", "optional", "star", "plus"
  kTag,         // "tag"
  kTriggeredTags,
  kTagsWithSeparator,
};

inline constexpr int32_t kUnbounded = -1;

struct Format {
  Kind kind = Kind::kText;
  // The text, token, schema, expression or grammar; kTagsWithSeparator: the separator.
  std::string text = {};
  // kTag: begin, content, and one or more ends, of which any will do.
  std::vector<Format> parts = {};
  std::vector<Format> triggers = {};       // kTriggeredTags: kText or kToken
  std::vector<std::string> excludes = {};  // kAnyText, kTriggeredTags: must not occur in free text
  int32_t min_count = 0;                   // kRepeat
  int32_t max_count = 1;                   // kRepeat; or kUnbounded
  bool at_least_one = false;               // kTriggeredTags, kTagsWithSeparator
  bool stop_after_first = false;           // kTriggeredTags, kTagsWithSeparator
};

inline Format Text(std::string text) { return {.kind = Kind::kText, .text = std::move(text)}; }
inline Format Token(std::string name) { return {.kind = Kind::kToken, .text = std::move(name)}; }
// `schema` is a JSON document.
inline Format JsonSchema(std::string schema) {
  return {.kind = Kind::kJsonSchema, .text = std::move(schema)};
}
inline Format Regex(std::string expression) {
  return {.kind = Kind::kRegex, .text = std::move(expression)};
}
inline Format Grammar(std::string grammar) {
  return {.kind = Kind::kGrammar, .text = std::move(grammar)};
}
// Ends where what follows it begins; so what follows should be among the excludes.
inline Format AnyText(std::vector<std::string> excludes = {}) {
  return {.kind = Kind::kAnyText, .excludes = std::move(excludes)};
}
inline Format Sequence(std::vector<Format> parts) {
  return {.kind = Kind::kSequence, .parts = std::move(parts)};
}
inline Format Or(std::vector<Format> parts) {
  return {.kind = Kind::kOr, .parts = std::move(parts)};
}
inline Format Repeat(Format part, int32_t min_count, int32_t max_count) {
  return {.kind = Kind::kRepeat,
          .parts = {std::move(part)},
          .min_count = min_count,
          .max_count = max_count};
}
inline Format Optional(Format part) { return Repeat(std::move(part), 0, 1); }
inline Format Star(Format part) { return Repeat(std::move(part), 0, kUnbounded); }
inline Format Plus(Format part) { return Repeat(std::move(part), 1, kUnbounded); }
inline Format Tag(Format begin, Format content, Format end) {
  return {.kind = Kind::kTag, .parts = {std::move(begin), std::move(content), std::move(end)}};
}

struct TagsOptions {
  bool at_least_one = false;
  bool stop_after_first = false;  // nothing follows the first tag
};

// Free text until one of `triggers` occurs; from there on one of the `tags` whose begin starts with
// it, then free text again. All triggers are text, or all are tokens.
inline Format TriggeredTags(std::vector<Format> triggers, std::vector<Format> tags,
                            TagsOptions options = {}) {
  return {.kind = Kind::kTriggeredTags,
          .parts = std::move(tags),
          .triggers = std::move(triggers),
          .at_least_one = options.at_least_one,
          .stop_after_first = options.stop_after_first};
}

// Tags one after another with `separator` between two of them, and nothing else.
inline Format TagsWithSeparator(std::vector<Format> tags, std::string separator,
                                TagsOptions options = {}) {
  return {.kind = Kind::kTagsWithSeparator,
          .text = std::move(separator),
          .parts = std::move(tags),
          .at_least_one = options.at_least_one,
          .stop_after_first = options.stop_after_first};
}

// The JSON form, and the spec that carries it.
std::string ToJson(const Format& format);
ConstraintSpec ToSpec(const Format& format);

}  // namespace baton::tag
