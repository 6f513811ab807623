// Filters that read or write HTML.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/html_text.h"
#include "frontend/chat/link_text.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"
#include "frontend/chat/text_lines.h"

namespace baton::frontend::internal {
namespace {

using Result = absl::StatusOr<Value>;

Result Escape(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  return EscapeHtml(context, value);
}

// Marked text, too.
Result ForceEscape(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  return EscapeHtml(context, Value::String(StrIn(context, value)));
}

bool EndsAttributeName(char32_t c) { return IsSpace(c) || c == '/' || c == '>' || c == '='; }

// key="value" for the entries of a dict that have a value.
Result XmlAttributes(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value autospace;
  RETURN_IF_ERROR(
      BindArguments("do_xmlattr", arguments, {"autospace"}, 0, absl::MakeSpan(&autospace, 1)));
  if (value.undefined()) return UndefinedError(value);
  if (!value.is(Kind::kDict)) {
    return PythonError("AttributeError",
                       {"'", TypeName(value), "' object has no attribute 'items'"});
  }
  std::string out;
  for (uint32_t i = 0; i < value.dict().size; ++i) {
    const DictEntry& entry = value.dict().entries[i];
    if (entry.value.none() || entry.value.undefined()) continue;
    if (!entry.key.string()) {
      return TypeError({"expected string or bytes-like object, got '", TypeName(entry.key), "'"});
    }
    const std::string_view key = entry.key.text();
    RETURN_IF_ERROR(context.ChargeLetters(key.size()));
    for (size_t at = 0; at < key.size(); at += SequenceLength(key, at)) {
      if (EndsAttributeName(CodePointAt(key, at))) {
        return ValueError({"Invalid character in attribute name: '", key, "'"});
      }
    }
    const bool spaced = !out.empty() || autospace.missing() || Truthy(autospace);
    if (spaced) out.push_back(' ');
    out.append(EscapeHtml(context, entry.key).text());
    out.append("=\"");
    out.append(EscapeHtml(context, entry.value).text());
    out.push_back('"');
    if (!context.arena().Fits(out.size())) return context.Reserve(out.size());
  }
  return NewText(context, out);
}

// No tags and comments; character references resolved.
Result StripTagsFilter(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("do_striptags", arguments, {}, 0, {}));
  const std::string_view text = StrIn(context, value);
  RETURN_IF_ERROR(context.ChargeLetters(text.size()));
  return NewText(context, StripTags(text));
}

// The words of `rel`, with those that Jinja always adds, in order.
absl::StatusOr<std::string> RelAttribute(RenderContext& context, const Value& rel, bool nofollow) {
  std::set<std::string_view> words = {"noopener"};
  if (nofollow) words.insert("nofollow");
  if (Truthy(rel)) {
    if (!rel.string()) {
      return PythonError("AttributeError",
                         {"'", TypeName(rel), "' object has no attribute 'split'"});
    }
    RETURN_IF_ERROR(context.ChargeLetters(rel.text().size()));
    std::string_view rest = StripLeft(rel.text());
    while (!rest.empty()) {
      size_t end = 0;
      while (end < rest.size() && !IsSpace(CodePointAt(rest, end))) {
        end += SequenceLength(rest, end);
      }
      words.insert(rest.substr(0, end));
      rest = StripLeft(rest.substr(end));
    }
  }
  std::string joined;
  for (const std::string_view word : words) {
    joined.append(joined.empty() ? "" : " ").append(word);
  }
  const Value escaped = EscapeHtml(context, Value::String(context.arena().Copy(joined)));
  return Joined({" rel=\"", escaped.text(), "\""});
}

absl::StatusOr<std::vector<std::string_view>> ExtraSchemes(RenderContext& context,
                                                           const Value& schemes) {
  std::vector<std::string_view> prefixes;
  if (schemes.missing() || schemes.none()) return prefixes;
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, schemes));
  for (const Value& item : items) {
    if (!item.string()) {
      return TypeError({"expected string or bytes-like object, got '", TypeName(item), "'"});
    }
    RETURN_IF_ERROR(context.ChargeLetters(item.text().size()));
    if (!IsSchemePrefix(item.text())) {
      return PythonError("FilterArgumentError",
                         {ScalarRepr(item), " is not a valid URI scheme prefix."});
    }
    prefixes.push_back(item.text());
  }
  return prefixes;
}

Result Urlize(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[5];
  RETURN_IF_ERROR(BindArguments("do_urlize", arguments,
                                {"trim_url_limit", "nofollow", "target", "rel", "extra_schemes"}, 0,
                                absl::MakeSpan(bound)));
  LinkOptions options;
  ASSIGN_OR_RETURN(options.attributes, RelAttribute(context, bound[3], Truthy(bound[1])));
  if (Truthy(bound[2])) {
    const Value target = EscapeHtml(context, bound[2]);
    options.attributes.append(Joined({" target=\"", target.text(), "\""}));
  }
  ASSIGN_OR_RETURN(options.extra_schemes, ExtraSchemes(context, bound[4]));
  if (bound[0].integral()) {
    constexpr WideInt kFar = WideInt{1} << 40;
    options.shown_letters_max =
        static_cast<int64_t>(std::clamp<WideInt>(bound[0].integer(), -kFar, kFar));
  } else if (!bound[0].missing() && !bound[0].none()) {
    return TypeError(
        {"'>' not supported between instances of 'int' and '", TypeName(bound[0]), "'"});
  }
  const Value escaped = EscapeHtml(context, value);
  if (!escaped.markup()) return context.Charge(0);  // the budget is at its end
  // A link of four letters is written with all attributes and schemes.
  const size_t bytes = escaped.text().size();
  const size_t each = 32 + options.attributes.size() + options.extra_schemes.size();
  RETURN_IF_ERROR(context.ReserveAll(bytes / 4, each));
  RETURN_IF_ERROR(context.ChargeLetters(bytes));
  return NewText(context, LinkUrls(escaped.text(), options));
}

constexpr FilterEntry kFilters[] = {
    {"e", &Escape},
    {"escape", &Escape},
    {"forceescape", &ForceEscape},
    {"striptags", &StripTagsFilter},
    {"urlize", &Urlize},
    {"xmlattr", &XmlAttributes},
};

}  // namespace

absl::Span<const FilterEntry> HtmlFilters() { return kFilters; }

}  // namespace baton::frontend::internal
