// Filters that work on text.
#include <string>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/json_dump.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/pretty_print.h"
#include "frontend/chat/python_format.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"
#include "frontend/chat/text_lines.h"
#include "frontend/chat/text_wrap.h"

namespace baton::frontend::internal {
namespace {

using Result = absl::StatusOr<Value>;

absl::Status NoAttribute(const Value& value, std::string_view name) {
  return PythonError("AttributeError",
                     {"'", TypeName(value), "' object has no attribute '", name, "'"});
}

// The value as text; markup stays markup.
Value SoftText(RenderContext& context, const Value& value) {
  return value.string() ? value : Value::String(StrIn(context, value));
}

template <std::string (*kFunction)(std::string_view)>
Result ConvertCase(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  const Value text = SoftText(context, value);
  RETURN_IF_ERROR(context.ChargeLetters(text.text().size()));
  return NewTextLike(context, kFunction(text.text()), text);
}

// Words begin after white space, hyphens and opening brackets, unlike in str.title.
Result TitleWords(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  const std::string_view text = SoftText(context, value).text();
  RETURN_IF_ERROR(context.ChargeLetters(text.size()));
  std::string out;
  std::string word;
  const auto flush = [&] {
    if (word.empty()) return;
    const size_t first = SequenceLength(word, 0);
    out.append(Upper(std::string_view(word).substr(0, first)));
    out.append(Lower(std::string_view(word).substr(first)));
    word.clear();
  };
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    const char32_t c = CodePointAt(text, at);
    if (IsSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<') {
      flush();
      AppendCodePoint(out, c);
    } else {
      word.append(text.substr(at, SequenceLength(text, at)));
    }
  }
  flush();
  return NewText(context, out);
}

Result Trim(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value set;
  RETURN_IF_ERROR(BindArguments("do_trim", arguments, {"chars"}, 0, absl::MakeSpan(&set, 1)));
  const Value text = SoftText(context, value);
  if (!set.missing() && !set.none() && !set.string()) {
    return TypeError({"strip arg must be None or str"});
  }
  RETURN_IF_ERROR(ChargeStrip(context, text.text(), set));
  const std::string_view stripped = set.string()
                                        ? StripRight(StripLeft(text.text(), set.text()), set.text())
                                        : StripRight(StripLeft(text.text()));
  return text.markup() ? Value::Markup(stripped) : Value::String(stripped);
}

Result Replace(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[3];  // old, new, count
  RETURN_IF_ERROR(
      BindArguments("do_replace", arguments, {"old", "new", "count"}, 2, absl::MakeSpan(bound)));
  WideInt count = -1;
  if (!bound[2].missing() && !bound[2].none()) {
    if (!bound[2].integral()) {
      return TypeError({"'", TypeName(bound[2]), "' object cannot be interpreted as an integer"});
    }
    count = bound[2].integer();
  }
  return ReplaceText(context, StrIn(context, value), StrIn(context, bound[0]),
                     StrIn(context, bound[1]), count);
}

Result Indent(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[3];  // width, first, blank
  RETURN_IF_ERROR(
      BindArguments("do_indent", arguments, {"width", "first", "blank"}, 0, absl::MakeSpan(bound)));
  if (value.undefined()) return UndefinedError(value);
  if (!value.string()) {
    if (value.is(Kind::kList)) return NoAttribute(value, "splitlines");
    return TypeError({"unsupported operand type(s) for +=: '", TypeName(value), "' and 'str'"});
  }
  std::string unit = "    ";
  if (bound[0].string()) {
    unit = bound[0].text();
  } else if (bound[0].integral()) {
    const WideInt width = bound[0].integer();
    if (width > 10'000) return ValueError({"indent width is too large"});
    unit.assign(width > 0 ? static_cast<size_t>(width) : 0, ' ');
  } else if (!bound[0].missing()) {
    return TypeError({"can't multiply sequence by non-int of type '", TypeName(bound[0]), "'"});
  }
  std::string out;
  if (Truthy(bound[1])) out.append(unit);
  RETURN_IF_ERROR(context.ChargeCodePoints(value.text().size()));
  RETURN_IF_ERROR(context.ReserveAll(LinesMax(value.text()), sizeof(std::string_view)));
  const std::string text = std::string(value.text()) + "\n";
  bool first = true;
  for (const std::string_view line : SplitLines(text, /*keep_ends=*/false)) {
    RETURN_IF_ERROR(context.Charge(1));
    if (!context.arena().Fits(out.size() + unit.size() + line.size())) {
      return context.Reserve(out.size() + unit.size() + line.size());
    }
    if (!first) {
      out.push_back('\n');
      if (!line.empty() || Truthy(bound[2])) out.append(unit);
    }
    out.append(line);
    first = false;
  }
  return NewTextLike(context, out, value);
}

Result Truncate(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[4];
  RETURN_IF_ERROR(BindArguments("do_truncate", arguments, {"length", "killwords", "end", "leeway"},
                                0, absl::MakeSpan(bound)));
  const auto integer = [](const Value& v, int64_t absent) {
    return v.integral() ? static_cast<int64_t>(v.integer()) : absent;
  };
  const int64_t length = integer(bound[0], 255);
  const int64_t leeway = integer(bound[3], 5);
  for (const Value* given : {&bound[0], &bound[3]}) {
    if (given->missing() || given->integral() || (given == &bound[3] && given->none())) continue;
    if (given->undefined()) return UndefinedError(*given);
    return TypeError(
        {"'>=' not supported between instances of '", TypeName(*given), "' and 'int'"});
  }
  if (!bound[2].missing() && Length(bound[2]) < 0) {
    return TypeError({"object of type '", TypeName(bound[2]), "' has no len()"});
  }
  const Value suffix =
      value.markup() && bound[2].string() ? EscapeHtml(context, bound[2]) : bound[2];
  const std::string_view end = bound[2].string() ? bound[2].text() : "...";
  const auto end_length = static_cast<int64_t>(CodePointCount(end));
  if (length < end_length) {
    return PythonError("AssertionError", {"expected length >= ", std::to_string(end_length),
                                          ", got ", std::to_string(length)});
  }
  if (value.string()) RETURN_IF_ERROR(context.ChargeCodePoints(value.text().size()));
  const int64_t size = Length(value);
  if (size < 0) return TypeError({"object of type '", TypeName(value), "' has no len()"});
  if (size <= length + leeway) return value;
  if (!value.string()) return TypeError({"cannot cut a ", TypeName(value), " like text"});
  const std::string_view text = value.text();
  std::string_view kept =
      text.substr(0, ByteOffset(text, static_cast<size_t>(length - end_length)));
  if (!Truthy(bound[1])) {
    if (const size_t space = kept.rfind(' '); space != std::string_view::npos) {
      kept = kept.substr(0, space);
    }
  }
  const std::string_view appended = suffix.string() ? suffix.text() : end;
  return NewTextLike(context, std::string(kept) + std::string(appended), value);
}

Result WordCount(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  const std::string_view text = SoftText(context, value).text();
  RETURN_IF_ERROR(context.ChargeLetters(text.size()));
  int64_t words = 0;
  bool in_word = false;
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    const char32_t c = CodePointAt(text, at);
    const bool word = IsWordLetter(c);
    if (word && !in_word) ++words;
    in_word = word;
  }
  return Value::Int(words);
}

Result Center(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value width = Value::Int(80);
  Value bound;
  RETURN_IF_ERROR(BindArguments("do_center", arguments, {"width"}, 0, absl::MakeSpan(&bound, 1)));
  if (!bound.missing()) width = bound;
  const Value text = SoftText(context, value);
  ASSIGN_OR_RETURN(const Value centered,
                   PadText(context, text.text(), width, Value(), Padding::kBoth));
  return text.markup() ? Value::Markup(centered.text()) : centered;
}

// Lines of at most `width` code points.
Result WordWrap(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[4];
  RETURN_IF_ERROR(BindArguments("do_wordwrap", arguments,
                                {"width", "break_long_words", "wrapstring", "break_on_hyphens"}, 0,
                                absl::MakeSpan(bound)));
  if (value.undefined()) return UndefinedError(value);
  if (!value.string()) return NoAttribute(value, "splitlines");
  const Value& ends = bound[2];
  if (!ends.missing() && !ends.none() && !ends.string()) return NoAttribute(ends, "join");
  const std::string_view line_end = ends.string() ? ends.text() : "\n";
  WrapOptions options;
  if (!bound[0].missing()) {
    if (!bound[0].integral()) {
      return TypeError(
          {"'<=' not supported between instances of '", TypeName(bound[0]), "' and 'int'"});
    }
    constexpr WideInt kFar = WideInt{1} << 40;
    options.width = static_cast<int64_t>(std::clamp<WideInt>(bound[0].integer(), -kFar, kFar));
  }
  options.break_long_words = bound[1].missing() || Truthy(bound[1]);
  options.break_on_hyphens = bound[3].missing() || Truthy(bound[3]);
  // Every code point may be a chunk.
  RETURN_IF_ERROR(context.ReserveAll(value.text().size(), 2 * sizeof(std::string_view)));
  RETURN_IF_ERROR(context.ChargeLetters(value.text().size()));
  std::string out;
  bool first = true;
  for (const std::string_view paragraph : SplitLines(value.text(), /*keep_ends=*/false)) {
    if (options.width <= 0) {
      return ValueError({"invalid width ", std::to_string(options.width), " (must be > 0)"});
    }
    if (!std::exchange(first, false)) out.append(line_end);
    if (!context.arena().Fits(out.size())) return context.Reserve(out.size());
    bool first_line = true;
    for (const std::string_view line : WrapText(paragraph, options)) {
      if (!std::exchange(first_line, false)) out.append(line_end);
      out.append(line);
      if (!context.arena().Fits(out.size())) return context.Reserve(out.size());
    }
  }
  return NewText(context, out);
}

Result Pretty(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("do_pprint", arguments, {}, 0, {}));
  ASSIGN_OR_RETURN(const std::string text, PrettyPrint(context, value));
  RETURN_IF_ERROR(context.Reserve(text.size()));
  return NewText(context, text);
}

// A part of a URL; in a query a slash is quoted too, and a space is a plus.
void AppendQuoted(std::string& out, std::string_view text, bool in_query) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z') ||
                       std::string_view("_.-~").find(c) != std::string_view::npos ||
                       (c == '/' && !in_query);
    if (plain) {
      out.push_back(c);
    } else if (c == ' ' && in_query) {
      out.push_back('+');
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
}

// A text, or the pairs of a query.
Result UrlEncode(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("do_urlencode", arguments, {}, 0, {}));
  std::string out;
  const Value pairs =
      value.is(Kind::kDict) ? Value::DictView(&value.dict(), DictViewKind::kItems) : value;
  absl::StatusOr<Cursor> cursor = Cursor::Over(pairs);
  if (value.string() || !cursor.ok()) {
    const std::string_view text = SoftText(context, value).text();
    RETURN_IF_ERROR(context.ChargeCodePoints(text.size()));
    AppendQuoted(out, text, /*in_query=*/false);
    return NewText(context, out);
  }
  while (true) {
    ASSIGN_OR_RETURN(const Value item, cursor->Next(context));
    if (item.missing()) return NewText(context, out);
    ASSIGN_OR_RETURN(const absl::Span<const Value> pair, Collect(context, item));
    if (pair.size() != 2) return ValueError({"a query consists of pairs of key and value"});
    if (!out.empty()) out.push_back('&');
    AppendQuoted(out, StrIn(context, pair[0]), /*in_query=*/true);
    out.push_back('=');
    AppendQuoted(out, StrIn(context, pair[1]), /*in_query=*/true);
    if (!context.arena().Fits(out.size())) return context.Reserve(out.size());
  }
}

Result ToString(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  return SoftText(context, value);
}

Result MarkSafe(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  return Value::Markup(StrIn(context, value));
}

Result Format(RenderContext& context, const Value& value, const Arguments& arguments) {
  if (!arguments.positional.empty() && !arguments.keyword.empty()) {
    return PythonError("FilterArgumentError",
                       {"can't handle positional and keyword arguments at the same time"});
  }
  const Value format = SoftText(context, value);
  if (arguments.keyword.empty()) {
    return FormatPercent(context, format, Value::Tuple(arguments.positional));
  }
  DictBuilder dict(context, arguments.keyword.size());
  for (const KeywordArgument& k : arguments.keyword) dict.Set(Value::String(k.name), k.value);
  return FormatPercent(context, format, dict.Build());
}

absl::Status BindSeparators(RenderContext& context, const Value& separators,
                            JsonDumpOptions& options) {
  if (separators.missing() || separators.none()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const absl::Span<const Value> pair, Collect(context, separators));
  if (pair.size() != 2 || !pair[0].string() || !pair[1].string()) {
    return ValueError({"separators must be two strings"});
  }
  options.item_separator = pair[0].text();
  options.key_separator = pair[1].text();
  return absl::OkStatus();
}

Result ToJson(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[4];
  RETURN_IF_ERROR(BindArguments("tojson", arguments,
                                {"ensure_ascii", "indent", "separators", "sort_keys"}, 0,
                                absl::MakeSpan(bound)));
  JsonDumpOptions options;
  options.ensure_ascii = Truthy(bound[0]);
  options.sort_keys = Truthy(bound[3]);
  options.bytes_max = context.limits().output_bytes_max;
  if (bound[1].string()) {
    options.indent = std::string(bound[1].text());
  } else if (bound[1].integral()) {
    const WideInt width = bound[1].integer();
    if (width > 1000) return ValueError({"indent width is too large"});
    options.indent = std::string(width > 0 ? static_cast<size_t>(width) : 0, ' ');
  } else if (!bound[1].missing() && !bound[1].none() && !value.string()) {
    return TypeError({"can't multiply sequence by non-int of type '", TypeName(bound[1]), "'"});
  }
  if (options.indent.has_value()) options.item_separator = ",";
  RETURN_IF_ERROR(BindSeparators(context, bound[2], options));
  std::string out;
  RETURN_IF_ERROR(DumpJson(context, value, options, out));
  RETURN_IF_ERROR(context.Reserve(out.size()));
  return NewText(context, out);
}

constexpr FilterEntry kFilters[] = {
    {"capitalize", &ConvertCase<Capitalize>},
    {"center", &Center},
    {"format", &Format},
    {"indent", &Indent},
    {"lower", &ConvertCase<Lower>},
    {"pprint", &Pretty},
    {"replace", &Replace},
    {"safe", &MarkSafe},
    {"string", &ToString},
    {"title", &TitleWords},
    {"tojson", &ToJson},
    {"trim", &Trim},
    {"truncate", &Truncate},
    {"upper", &ConvertCase<Upper>},
    {"urlencode", &UrlEncode},
    {"wordcount", &WordCount},
    {"wordwrap", &WordWrap},
};

}  // namespace

absl::Span<const FilterEntry> TextFilters() { return kFilters; }

}  // namespace baton::frontend::internal
