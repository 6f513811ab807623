#include "common/constraint/structural_tag.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/json/json.h"

namespace baton::tag {
namespace {

std::string Render(const Format& format);

// [a, b] of what `render` makes of each item.
template <typename Item, typename Renderer>
std::string List(const std::vector<Item>& items, Renderer render) {
  return absl::StrCat("[",
                      absl::StrJoin(items, ",",
                                    [&](std::string* out, const Item& item) {
                                      absl::StrAppend(out, render(item));
                                    }),
                      "]");
}

std::string Quote(const std::string& text) { return QuoteJson(text); }

std::string Member(const char* name, const std::string& json) {
  return absl::StrCat(",\"", name, "\":", json);
}

// Of tags and triggers: text stands for itself, a token is an object.
std::string Marker(const Format& marker) {
  return marker.kind == Kind::kText ? QuoteJson(marker.text) : Render(marker);
}

std::string TagMembers(const Format& format) {
  const std::vector<Format> ends(format.parts.begin() + 2, format.parts.end());
  return absl::StrCat(Member("begin", Marker(format.parts[0])),
                      Member("content", Render(format.parts[1])),
                      Member("end", ends.size() == 1 ? Marker(ends[0]) : List(ends, Marker)));
}

std::string TagsFlags(const Format& format) {
  return absl::StrCat(Member("tags", List(format.parts, Render)),
                      Member("at_least_one", format.at_least_one ? "true" : "false"),
                      Member("stop_after_first", format.stop_after_first ? "true" : "false"));
}

std::string TriggeredMembers(const Format& format) {
  const bool tokens = !format.triggers.empty() && format.triggers[0].kind == Kind::kToken;
  const auto name = [](const Format& trigger) { return QuoteJson(trigger.text); };
  return absl::StrCat(Member(tokens ? "trigger_tokens" : "triggers", List(format.triggers, name)),
                      Member("excludes", List(format.excludes, Quote)), TagsFlags(format));
}

const char* TypeName(const Format& format) {
  switch (format.kind) {
    case Kind::kText:
      return "const_string";
    case Kind::kToken:
      return "token";
    case Kind::kJsonSchema:
      return "json_schema";
    case Kind::kRegex:
      return "regex";
    case Kind::kGrammar:
      return "grammar";
    case Kind::kAnyText:
      return "any_text";
    case Kind::kSequence:
      return "sequence";
    case Kind::kOr:
      return "or";
    case Kind::kRepeat:
      return "repeat";
    case Kind::kTag:
      return "tag";
    case Kind::kTriggeredTags:
      return !format.triggers.empty() && format.triggers[0].kind == Kind::kToken
                 ? "token_triggered_tags"
                 : "triggered_tags";
    case Kind::kTagsWithSeparator:
      return "tags_with_separator";
  }
  return "";
}

std::string Members(const Format& format) {
  switch (format.kind) {
    case Kind::kText:
      return Member("value", QuoteJson(format.text));
    case Kind::kToken:
      return Member("token", QuoteJson(format.text));
    case Kind::kJsonSchema:
      return Member("json_schema", format.text);
    case Kind::kRegex:
      return Member("pattern", QuoteJson(format.text));
    case Kind::kGrammar:
      return Member("grammar", QuoteJson(format.text));
    case Kind::kAnyText:
      return Member("excludes", List(format.excludes, Quote));
    case Kind::kSequence:
    case Kind::kOr:
      return Member("elements", List(format.parts, Render));
    case Kind::kRepeat:
      return absl::StrCat(Member("content", Render(format.parts[0])),
                          Member("min", absl::StrCat(format.min_count)),
                          Member("max", absl::StrCat(format.max_count)));
    case Kind::kTag:
      return TagMembers(format);
    case Kind::kTriggeredTags:
      return TriggeredMembers(format);
    case Kind::kTagsWithSeparator:
      return absl::StrCat(Member("separator", QuoteJson(format.text)), TagsFlags(format));
  }
  return "";
}

std::string Render(const Format& format) {
  return absl::StrCat("{\"type\":\"", TypeName(format), "\"", Members(format), "}");
}

}  // namespace

std::string ToJson(const Format& format) {
  return absl::StrCat("{\"type\":\"structural_tag\",\"format\":", Render(format), "}");
}

ConstraintSpec ToSpec(const Format& format) {
  return ConstraintSpec::StructuralTag(ToJson(format));
}

}  // namespace baton::tag
