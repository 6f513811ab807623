#include "common/constraint/structural_tag_lark.h"

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

namespace baton {
namespace {

using tag::Format;
using tag::Kind;
using TextOr = absl::StatusOr<std::string>;

constexpr size_t kFormatsMax = 2000;

absl::Status Bad(const std::string& path, std::string_view message) {
  return InvalidArgument(absl::StrCat(path, ": ", ToAbsl(message)));
}

// Where a format stands.
struct Place {
  std::string path;
  bool last = false;  // nothing of the output can follow it

  Place Part(std::string_view name, bool is_last) const {
    return {absl::StrCat(path, ".", ToAbsl(name)), is_last};
  }
};

// An element of a sequence once tags and inner sequences are taken apart.
struct Element {
  const Format* format;      // null: one of `ends`
  std::vector<Format> ends;  // more than one end of a tag
  std::string path;
};

class LarkWriter {
 public:
  LarkWriter(const JsonLayout& layout, const TokenVocabulary& vocabulary)
      : layout_(layout), vocabulary_(vocabulary) {}

  TextOr Run(const Format& format) {
    ASSIGN_OR_RETURN(const std::string body, Expression(format, {"format", /*last=*/true}));
    return absl::StrCat("start: ", body, "\n", rules_);
  }

 private:
  // What matches a format, to be put into a rule.
  TextOr Expression(const Format& format, const Place& place) {
    if (++format_count_ > kFormatsMax) return Bad(place.path, "too many formats");
    switch (format.kind) {
      case Kind::kText:
        return LarkString(format.text);
      case Kind::kToken:
        return Token(format, place.path);
      case Kind::kJsonSchema: {
        ASSIGN_OR_RETURN(const std::string schema,
                         PrepareJsonSchema(format.text, layout_, place.path));
        return AddRule("%json " + schema);
      }
      case Kind::kRegex:
        return LarkRegex(WithoutOuterAnchors(format.text));
      case Kind::kGrammar:
        return Grammar(format, place.path);
      case Kind::kAnyText:
      case Kind::kSequence:
      case Kind::kTag:
        return Sequence(format, place);
      case Kind::kOr:
        return Or(format, place);
      case Kind::kRepeat:
        return Repeat(format, place);
      case Kind::kTriggeredTags:
        return TriggeredTags(format, place);
      case Kind::kTagsWithSeparator:
        return TagsWithSeparator(format, place);
    }
    return Internal("structural tag: unknown format");
  }

  std::string AddRule(std::string_view body, std::string_view attributes = "") {
    const std::string name = absl::StrCat("r", ++rule_count_);
    absl::StrAppend(&rules_, name, ToAbsl(attributes), ": ", ToAbsl(body), "\n");
    return name;
  }

  std::string AddTerminal(std::string_view body) {
    const std::string name = absl::StrCat("T", ++rule_count_);
    absl::StrAppend(&rules_, name, ": ", ToAbsl(body), "\n");
    return name;
  }

  TextOr Token(const Format& format, const std::string& path) const {
    if (format.text.starts_with("<[") && format.text.ends_with("]>")) return format.text;
    const auto reference = vocabulary_.Reference(format.text);
    if (!reference.has_value()) {
      return Bad(path, absl::StrCat("the model has no token '", format.text, "'"));
    }
    return *reference;
  }

  TextOr Grammar(const Format& format, const std::string& path) {
    if (!LooksLikeGbnf(format.text)) {
      ASSIGN_OR_RETURN(const std::string lark, PrepareLark(format.text, layout_, path));
      return AddRule(absl::StrCat("%lark {\n", lark, "\n}"));
    }
    const absl::StatusOr<GbnfGrammar> parsed = ParseGbnf(format.text);
    if (!parsed.ok()) return Annotate(parsed.status(), path);
    GbnfGrammar grammar = *parsed;
    ReplaceTailRecursion(grammar);
    ASSIGN_OR_RETURN(const std::string lark, GbnfToLark(grammar, vocabulary_));
    return AddRule(absl::StrCat("%lark {\n", lark, "\n}"));
  }

  // Text without any of `excludes`, as a terminal.
  std::string FreeText(const std::vector<std::string>& excludes) {
    std::string body = kLarkAnyText;
    for (const std::string& exclude : excludes) {
      absl::StrAppend(&body, " & ~(", kLarkAnyText, " ", LarkString(exclude), " ", kLarkAnyText,
                      ")");
    }
    return AddTerminal(body);
  }

  static void TakeApart(const Format& format, const std::string& path,
                        std::vector<Element>& elements) {
    if (format.kind == Kind::kSequence) {
      for (size_t i = 0; i < format.parts.size(); ++i) {
        TakeApart(format.parts[i], absl::StrCat(path, ".elements[", i, "]"), elements);
      }
    } else if (format.kind == Kind::kTag) {
      TakeApart(format.parts[0], path + ".begin", elements);
      TakeApart(format.parts[1], path + ".content", elements);
      if (format.parts.size() == 3) {
        TakeApart(format.parts[2], path + ".end", elements);
      } else {
        elements.push_back(
            {nullptr, {format.parts.begin() + 2, format.parts.end()}, path + ".end"});
      }
    } else {
      elements.push_back({&format, {}, path});
    }
  }

  TextOr Sequence(const Format& format, const Place& place) {
    std::vector<Element> elements;
    TakeApart(format, place.path, elements);
    std::erase_if(elements, [](const Element& element) {
      return element.format != nullptr && element.format->kind == Kind::kText &&
             element.format->text.empty();
    });
    return Elements(elements, place.last);
  }

  TextOr Elements(const std::vector<Element>& elements, bool last) {
    std::vector<std::string> parts;
    for (size_t i = 0; i < elements.size(); ++i) {
      const Element& element = elements[i];
      const bool is_last = last && i + 1 == elements.size();
      if (element.format == nullptr) {
        ASSIGN_OR_RETURN(std::string ends, Ends(element));
        parts.push_back(std::move(ends));
      } else if (element.format->kind != Kind::kAnyText) {
        ASSIGN_OR_RETURN(std::string part, Expression(*element.format, {element.path, is_last}));
        parts.push_back(std::move(part));
      } else {
        const Element* next = i + 1 < elements.size() ? &elements[i + 1] : nullptr;
        ASSIGN_OR_RETURN(const bool took_next, AnyText(element, next, is_last, parts));
        if (took_next) ++i;
      }
    }
    return parts.empty() ? "\"\"" : absl::StrJoin(parts, " ");
  }

  // Appends the free text, with the literal behind it where there is one: true then.
  absl::StatusOr<bool> AnyText(const Element& element, const Element* next, bool is_last,
                               std::vector<std::string>& parts) {
    const std::string text = FreeText(element.format->excludes);
    if (is_last ||
        (next != nullptr && next->format != nullptr && next->format->kind == Kind::kToken)) {
      parts.push_back(AddRule(text));
      return false;
    }
    if (next != nullptr && next->format != nullptr && next->format->kind == Kind::kText) {
      parts.push_back(AddRule(text, absl::StrCat("[suffix=", LarkString(next->format->text), "]")));
      return true;
    }
    if (next != nullptr && next->format == nullptr) {
      ASSIGN_OR_RETURN(const std::string ends, EndsExpression(*next));
      parts.push_back(AddRule(text, absl::StrCat("[suffix=/", ends, "/]")));
      return true;
    }
    return Bad(element.path, "free text must be followed by a string, a token, or the end");
  }

  TextOr Ends(const Element& element) {
    std::vector<std::string> ends;
    for (const Format& end : element.ends) {
      ASSIGN_OR_RETURN(std::string text, Expression(end, {element.path, false}));
      ends.push_back(std::move(text));
    }
    return absl::StrCat("(", absl::StrJoin(ends, " | "), ")");
  }

  static TextOr EndsExpression(const Element& element) {
    std::vector<std::string> ends;
    for (const Format& end : element.ends) {
      if (end.kind != Kind::kText) return Bad(element.path, "behind free text all must be strings");
      ends.push_back(EscapeRegex(end.text));
    }
    return absl::StrJoin(ends, "|");
  }

  TextOr Or(const Format& format, const Place& place) {
    std::vector<std::string> options;
    for (size_t i = 0; i < format.parts.size(); ++i) {
      const std::string name = absl::StrCat("elements[", i, "]");
      ASSIGN_OR_RETURN(const std::string option,
                       Expression(format.parts[i], place.Part(name, place.last)));
      options.push_back(AddRule(option));
    }
    return absl::StrCat("(", absl::StrJoin(options, " | "), ")");
  }

  TextOr Repeat(const Format& format, const Place& place) {
    if (format.max_count == 0) return std::string("\"\"");
    const bool last = place.last && format.max_count == 1;
    ASSIGN_OR_RETURN(const std::string body,
                     Expression(format.parts[0], place.Part("content", last)));
    const std::string name = AddRule(body);
    if (format.max_count != tag::kUnbounded) {
      return absl::StrCat(name, "{", format.min_count, ",", format.max_count, "}");
    }
    return absl::StrCat(name, "{", format.min_count, ",}");
  }

  absl::StatusOr<std::vector<std::string>> Tags(const Format& format, const Place& place) {
    std::vector<std::string> names;
    for (size_t i = 0; i < format.parts.size(); ++i) {
      const std::string name = absl::StrCat("tags[", i, "]");
      ASSIGN_OR_RETURN(const std::string body,
                       Expression(format.parts[i], place.Part(name, false)));
      names.push_back(AddRule(body));
    }
    return names;
  }

  TextOr TagsWithSeparator(const Format& format, const Place& place) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, Tags(format, place));
    const std::string one = AddRule(absl::StrJoin(names, " | "));
    std::string all = one;
    if (!format.stop_after_first) {
      absl::StrAppend(&all, " (", LarkString(format.text), " ", one, ")*");
    }
    return absl::StrCat("(", all, ")", format.at_least_one ? "" : "?");
  }

  // A tag behind its trigger, which the free text in front of it has taken.
  TextOr TriggeredTag(const Format& format, const Format& trigger, const std::string& lead,
                      const std::string& path) {
    std::vector<Element> elements;
    TakeApart(format, path, elements);
    std::vector<std::string> parts = {lead};
    const std::string& begin = format.parts[0].text;
    if (trigger.kind == Kind::kText && begin.size() > trigger.text.size()) {
      parts.push_back(LarkString(std::string_view(begin).substr(trigger.text.size())));
    }
    elements.erase(elements.begin());
    std::erase_if(elements, [](const Element& element) {
      return element.format != nullptr && element.format->kind == Kind::kText &&
             element.format->text.empty();
    });
    ASSIGN_OR_RETURN(const std::string rest, Elements(elements, false));
    parts.push_back(rest);
    return absl::StrJoin(parts, " ");
  }

  static absl::Status CheckTriggers(const Format& format, const std::string& path) {
    for (const Format& a : format.triggers) {
      for (const Format& b : format.triggers) {
        if (&a != &b && a.text.find(b.text) != std::string::npos) {
          return Bad(path + ".triggers",
                     absl::StrCat("'", b.text, "' is a part of '", a.text, "'"));
        }
      }
    }
    return absl::OkStatus();
  }

  static const Format* TriggerOf(const Format& format, const Format& tag) {
    const Format& begin = tag.parts[0];
    for (const Format& trigger : format.triggers) {
      const bool fits = trigger.kind == Kind::kToken ? begin.text == trigger.text
                                                     : begin.text.starts_with(trigger.text);
      if (begin.kind == trigger.kind && fits) return &trigger;
    }
    return nullptr;
  }

  // Free text up to a trigger, and the trigger.
  TextOr Lead(const Format& trigger, const std::string& text, const std::string& path) {
    if (trigger.kind == Kind::kText) {
      return AddRule(absl::StrCat(text, " ", LarkString(trigger.text)), "[lazy]");
    }
    ASSIGN_OR_RETURN(const std::string token, Token(trigger, path));
    return AddRule(absl::StrCat(text, " ", token));
  }

  TextOr TriggeredTags(const Format& format, const Place& place) {
    if (!place.last) return Bad(place.path, "nothing may follow triggered tags");
    RETURN_IF_ERROR(CheckTriggers(format, place.path));
    const std::string text = FreeText(format.excludes);
    std::vector<std::string> leads;
    for (const Format& trigger : format.triggers) {
      ASSIGN_OR_RETURN(std::string lead, Lead(trigger, text, place.path));
      leads.push_back(std::move(lead));
    }
    std::vector<std::string> tags;
    for (size_t i = 0; i < format.parts.size(); ++i) {
      const std::string path = absl::StrCat(place.path, ".tags[", i, "]");
      const Format* trigger = TriggerOf(format, format.parts[i]);
      if (trigger == nullptr) return Bad(path + ".begin", "does not begin with a trigger");
      const auto index = static_cast<size_t>(trigger - format.triggers.data());
      ASSIGN_OR_RETURN(const std::string tag,
                       TriggeredTag(format.parts[i], *trigger, leads[index], path));
      tags.push_back(AddRule(tag));
    }
    const std::string one = AddRule(absl::StrJoin(tags, " | "));
    const std::string end = AddRule(text);
    if (!format.at_least_one) {
      if (format.stop_after_first) return absl::StrCat("(", one, " | ", end, ")");
      return absl::StrCat(one, "* ", end);
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> names, Tags(format, place));
    const std::string first = AddRule(absl::StrJoin(names, " | "));
    return format.stop_after_first ? first : absl::StrCat(first, " ", one, "* ", end);
  }

  const JsonLayout& layout_;
  const TokenVocabulary& vocabulary_;
  std::string rules_;
  int rule_count_ = 0;
  size_t format_count_ = 0;
};

}  // namespace

absl::StatusOr<std::string> StructuralTagToLark(const Format& format, const JsonLayout& layout,
                                                const TokenVocabulary& vocabulary) {
  return LarkWriter(layout, vocabulary).Run(format);
}

}  // namespace baton
