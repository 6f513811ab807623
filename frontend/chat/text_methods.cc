#include "frontend/chat/text_methods.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_format.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"
#include "frontend/chat/text_lines.h"

namespace baton::frontend::internal {
namespace {

using Result = absl::StatusOr<Value>;

absl::Status NeedsString(std::string_view what, const Value& value) {
  return TypeError({what, " must be str, not ", TypeName(value)});
}

Value NewList(RenderContext& context, const std::vector<std::string_view>& parts) {
  Value* items = context.arena().AllocateArray<Value>(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) items[i] = Value::String(parts[i]);
  return Value::List({items, parts.size()});
}

template <std::string (*kFunction)(std::string_view)>
Result ConvertCase(RenderContext& context, const Value& self, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("str method", arguments, {}, 0, {}));
  RETURN_IF_ERROR(context.ChargeLetters(self.text().size()));
  return NewText(context, kFunction(self.text()));
}

template <bool kLeft, bool kRight>
Result Strip(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value set;
  RETURN_IF_ERROR(BindArguments("strip", arguments, {"chars"}, 0, absl::MakeSpan(&set, 1)));
  std::string_view text = self.text();
  RETURN_IF_ERROR(ChargeStrip(context, text, set));
  if (set.missing() || set.none()) {
    if (kLeft) text = StripLeft(text);
    if (kRight) text = StripRight(text);
  } else if (set.string()) {
    if (kLeft) text = StripLeft(text, set.text());
    if (kRight) text = StripRight(text, set.text());
  } else {
    return TypeError({"strip arg must be None or str"});
  }
  return Value::String(text);
}

// The pieces of a text, each of which takes a step and must fit into what is left of the arena.
class Pieces {
 public:
  explicit Pieces(RenderContext& context) : context_(context) {}

  absl::Status Add(std::string_view piece) {
    RETURN_IF_ERROR(context_.Charge(1));
    const size_t bytes = (parts_.size() + 1) * sizeof(Value);
    if (!context_.arena().Fits(bytes)) return context_.Reserve(bytes);
    parts_.push_back(piece);
    return absl::OkStatus();
  }
  std::vector<std::string_view>& parts() { return parts_; }
  WideInt count() const { return static_cast<WideInt>(parts_.size()); }

 private:
  RenderContext& context_;
  std::vector<std::string_view> parts_;
};

absl::Status SplitOnSpace(std::string_view text, WideInt limit, Pieces& pieces) {
  text = StripLeft(text);
  while (!text.empty()) {
    if (limit >= 0 && pieces.count() == limit) return pieces.Add(text);
    size_t end = 0;
    while (end < text.size() && !IsSpace(CodePointAt(text, end))) end += SequenceLength(text, end);
    RETURN_IF_ERROR(pieces.Add(text.substr(0, end)));
    text = StripLeft(text.substr(end));
  }
  return absl::OkStatus();
}

absl::Status SplitOnSpaceFromRight(std::string_view text, WideInt limit, Pieces& pieces) {
  RETURN_IF_ERROR(SplitOnSpace(text, -1, pieces));
  if (limit < 0 || pieces.count() <= limit) return absl::OkStatus();
  // What is left of the text keeps its white space in front.
  std::vector<std::string_view>& words = pieces.parts();
  const auto rest = static_cast<ptrdiff_t>(pieces.count() - limit);
  std::string_view& last = words[static_cast<size_t>(rest - 1)];
  last = text.substr(0, static_cast<size_t>(last.data() - text.data()) + last.size());
  words.erase(words.begin(), words.begin() + rest - 1);
  return absl::OkStatus();
}

absl::Status SplitOnText(std::string_view text, std::string_view separator, WideInt limit,
                         bool from_right, Pieces& pieces) {
  while (limit < 0 || pieces.count() < limit) {
    const size_t found = from_right ? text.rfind(separator) : FindText(text, separator);
    if (found == std::string_view::npos) break;
    if (from_right) {
      RETURN_IF_ERROR(pieces.Add(text.substr(found + separator.size())));
      text = text.substr(0, found);
    } else {
      RETURN_IF_ERROR(pieces.Add(text.substr(0, found)));
      text = text.substr(found + separator.size());
    }
  }
  RETURN_IF_ERROR(pieces.Add(text));
  if (from_right) std::reverse(pieces.parts().begin(), pieces.parts().end());
  return absl::OkStatus();
}

// Takes what the standard search from the right may cost at worst.
absl::Status ChargeBackwards(RenderContext& context, std::string_view text,
                             std::string_view wanted) {
  constexpr size_t kFar = size_t{1} << 30;
  return context.ChargeText(std::min(text.size(), kFar) *
                            (1 + (std::min(wanted.size(), kFar) >> 6)));
}

template <bool kFromRight>
Result Split(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value bound[2];
  RETURN_IF_ERROR(BindArguments("split", arguments, {"sep", "maxsplit"}, 0, absl::MakeSpan(bound)));
  RETURN_IF_ERROR(context.ChargeCodePoints(self.text().size()));
  WideInt limit = -1;
  if (!bound[1].missing()) {
    if (!bound[1].integral()) {
      return TypeError({"'", TypeName(bound[1]), "' object cannot be interpreted as an integer"});
    }
    limit = bound[1].integer();
  }
  Pieces pieces(context);
  if (bound[0].missing() || bound[0].none()) {
    RETURN_IF_ERROR(kFromRight ? SplitOnSpaceFromRight(self.text(), limit, pieces)
                               : SplitOnSpace(self.text(), limit, pieces));
  } else if (!bound[0].string()) {
    return TypeError({"must be str or None, not ", TypeName(bound[0])});
  } else if (bound[0].text().empty()) {
    return ValueError({"empty separator"});
  } else {
    if (kFromRight) RETURN_IF_ERROR(ChargeBackwards(context, self.text(), bound[0].text()));
    RETURN_IF_ERROR(SplitOnText(self.text(), bound[0].text(), limit, kFromRight, pieces));
  }
  RETURN_IF_ERROR(context.Reserve(pieces.parts().size() * sizeof(Value)));
  return NewList(context, pieces.parts());
}

Result SplitLinesMethod(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value keep;
  RETURN_IF_ERROR(
      BindArguments("splitlines", arguments, {"keepends"}, 0, absl::MakeSpan(&keep, 1)));
  if (!keep.missing() && !keep.integral()) {
    return TypeError({"'", TypeName(keep), "' object cannot be interpreted as an integer"});
  }
  RETURN_IF_ERROR(context.ChargeCodePoints(self.text().size()));
  const size_t lines = LinesMax(self.text());
  RETURN_IF_ERROR(context.Charge(static_cast<int64_t>(lines)));
  RETURN_IF_ERROR(context.Reserve(lines * sizeof(Value)));
  return NewList(context, SplitLines(self.text(), Truthy(keep)));
}

// The part of the text that optional start and end arguments name, or nothing where the start is
// behind the end: not even "" is found there.
absl::StatusOr<std::optional<std::string_view>> Window(RenderContext& context, const Value& self,
                                                       const Value& start, const Value& end) {
  const std::string_view text = self.text();
  if (start.missing() && end.missing()) return text;
  RETURN_IF_ERROR(context.ChargeCodePoints(text.size()));
  const auto length = static_cast<WideInt>(CodePointCount(text));
  WideInt bounds[2] = {0, length};
  const Value* const given[2] = {&start, &end};
  for (size_t i = 0; i < 2; ++i) {
    if (given[i]->missing() || given[i]->none()) continue;
    if (!given[i]->integral()) {
      return TypeError({"slice indices must be integers or None or have an __index__ method"});
    }
    const WideInt at = given[i]->integer();
    bounds[i] = at < 0 ? std::max<WideInt>(at + length, 0) : at;
  }
  bounds[1] = std::min(bounds[1], length);
  if (bounds[0] > bounds[1]) return std::optional<std::string_view>();
  const size_t first = ByteOffset(text, static_cast<size_t>(bounds[0]));
  const size_t last = ByteOffset(text, static_cast<size_t>(bounds[1]));
  return text.substr(first, last - first);
}

// Takes what comparing `affix` with an end of the text costs at worst.
absl::Status ChargeAffix(RenderContext& context, const Value& self, std::string_view affix) {
  return context.ChargeText(std::min(self.text().size(), affix.size()));
}

template <bool kAtStart>
Result HasAffix(RenderContext& context, const Value& self, const Arguments& arguments) {
  const std::string_view name = kAtStart ? "startswith" : "endswith";
  Value bound[3];
  RETURN_IF_ERROR(
      BindArguments(name, arguments, {"affix", "start", "end"}, 1, absl::MakeSpan(bound)));
  ASSIGN_OR_RETURN(const std::optional<std::string_view> text,
                   Window(context, self, bound[1], bound[2]));
  const auto matches = [&](std::string_view affix) -> absl::StatusOr<bool> {
    RETURN_IF_ERROR(ChargeAffix(context, self, affix));
    if (!text.has_value()) return false;
    return kAtStart ? text->starts_with(affix) : text->ends_with(affix);
  };
  if (bound[0].string()) {
    ASSIGN_OR_RETURN(const bool found, matches(bound[0].text()));
    return Value::Bool(found);
  }
  if (!bound[0].is(Kind::kTuple)) {
    return TypeError({name, " first arg must be str or a tuple of str, not ", TypeName(bound[0])});
  }
  for (const Value& affix : bound[0].items()) {
    if (!affix.string()) return NeedsString("tuple for startswith", affix);
    ASSIGN_OR_RETURN(const bool found, matches(affix.text()));
    if (found) return Value::Bool(true);
  }
  return Value::Bool(false);
}

template <bool kLast, bool kMustExist>
Result Find(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value bound[3];
  RETURN_IF_ERROR(
      BindArguments("find", arguments, {"sub", "start", "end"}, 1, absl::MakeSpan(bound)));
  if (!bound[0].string()) return NeedsString("argument", bound[0]);
  RETURN_IF_ERROR(context.ChargeText(self.text().size()));
  ASSIGN_OR_RETURN(const std::optional<std::string_view> text,
                   Window(context, self, bound[1], bound[2]));
  if (kLast && text.has_value()) {
    RETURN_IF_ERROR(ChargeBackwards(context, *text, bound[0].text()));
  }
  const size_t found = !text.has_value() ? std::string_view::npos
                       : kLast           ? text->rfind(bound[0].text())
                                         : FindText(*text, bound[0].text());
  if (found == std::string_view::npos) {
    if (kMustExist) return ValueError({"substring not found"});
    return Value::Int(-1);
  }
  const auto before = static_cast<size_t>(text->data() - self.text().data());
  return Value::Int(static_cast<int64_t>(CodePointCount(self.text().substr(0, before + found))));
}

Result Count(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value bound[3];
  RETURN_IF_ERROR(
      BindArguments("count", arguments, {"sub", "start", "end"}, 1, absl::MakeSpan(bound)));
  if (!bound[0].string()) return NeedsString("argument", bound[0]);
  RETURN_IF_ERROR(context.ChargeText(self.text().size()));
  ASSIGN_OR_RETURN(const std::optional<std::string_view> window,
                   Window(context, self, bound[1], bound[2]));
  if (!window.has_value()) return Value::Int(0);
  const std::string_view text = *window;
  const std::string_view wanted = bound[0].text();
  if (wanted.empty()) return Value::Int(static_cast<int64_t>(CodePointCount(text)) + 1);
  int64_t count = 0;
  for (size_t at = FindText(text, wanted); at != std::string_view::npos;
       at = FindText(text, wanted, at + wanted.size())) {
    ++count;
  }
  return Value::Int(count);
}

Result Replace(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value bound[3];
  RETURN_IF_ERROR(
      BindArguments("replace", arguments, {"old", "new", "count"}, 2, absl::MakeSpan(bound)));
  if (!bound[0].string()) return NeedsString("replace() argument 1", bound[0]);
  if (!bound[1].string()) return NeedsString("replace() argument 2", bound[1]);
  const WideInt count = bound[2].integral() ? bound[2].integer() : WideInt{-1};
  return ReplaceText(context, self.text(), bound[0].text(), bound[1].text(), count);
}

Result Join(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value iterable;
  RETURN_IF_ERROR(BindArguments("join", arguments, {"iterable"}, 1, absl::MakeSpan(&iterable, 1)));
  ASSIGN_OR_RETURN(Cursor cursor, Cursor::Over(iterable));
  std::string out;
  for (int64_t i = 0;; ++i) {
    ASSIGN_OR_RETURN(const Value item, cursor.Next(context));
    if (item.missing()) break;
    if (!item.string()) {
      return TypeError({"sequence item ", std::to_string(i), ": expected str instance, ",
                        TypeName(item), " found"});
    }
    if (i > 0) out.append(self.text());
    out.append(item.text());
    if (!context.arena().Fits(out.size())) return context.Reserve(out.size());
  }
  return NewText(context, out);
}

template <Padding kPadding>
Result Pad(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value bound[2];
  RETURN_IF_ERROR(BindArguments("pad", arguments, {"width", "fillchar"}, 1, absl::MakeSpan(bound)));
  return PadText(context, self.text(), bound[0], bound[1], kPadding);
}

Result ZeroFill(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value width;
  RETURN_IF_ERROR(BindArguments("zfill", arguments, {"width"}, 1, absl::MakeSpan(&width, 1)));
  const bool sign = !self.text().empty() && (self.text()[0] == '-' || self.text()[0] == '+');
  if (!sign) return PadText(context, self.text(), width, Value::String("0"), Padding::kLeft);
  if (!width.integral()) return TypeError({"an integer is required"});
  ASSIGN_OR_RETURN(const Value less, Apply(context, BinaryOperator::kSub, width, Value::Int(1)));
  ASSIGN_OR_RETURN(const Value digits, PadText(context, self.text().substr(1), less,
                                               Value::String("0"), Padding::kLeft));
  return Value::String(
      context.arena().Concat(context.arena().Copy(self.text().substr(0, 1)), digits.text()));
}

template <bool kPrefix>
Result RemoveAffix(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value affix;
  RETURN_IF_ERROR(BindArguments("remove", arguments, {"affix"}, 1, absl::MakeSpan(&affix, 1)));
  if (!affix.string()) return NeedsString("argument", affix);
  const std::string_view text = self.text();
  RETURN_IF_ERROR(ChargeAffix(context, self, affix.text()));
  const size_t size = affix.text().size();
  if (size > text.size()) return self;
  if (kPrefix)
    return text.substr(0, size) == affix.text() ? Value::String(text.substr(size)) : self;
  const size_t rest = text.size() - size;
  return text.substr(rest) == affix.text() ? Value::String(text.substr(0, rest)) : self;
}

template <bool kLast>
Result Partition(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value separator;
  RETURN_IF_ERROR(BindArguments("partition", arguments, {"sep"}, 1, absl::MakeSpan(&separator, 1)));
  if (!separator.string()) return NeedsString("argument", separator);
  if (separator.text().empty()) return ValueError({"empty separator"});
  const std::string_view text = self.text();
  RETURN_IF_ERROR(kLast ? ChargeBackwards(context, text, separator.text())
                        : context.ChargeText(text.size()));
  const size_t found = kLast ? text.rfind(separator.text()) : FindText(text, separator.text());
  Value* parts = context.arena().AllocateArray<Value>(3);
  if (found == std::string_view::npos) {
    const Value none = Value::String("");
    parts[0] = kLast ? none : self;
    parts[1] = none;
    parts[2] = kLast ? self : none;
  } else {
    parts[0] = Value::String(text.substr(0, found));
    parts[1] = separator;
    parts[2] = Value::String(text.substr(found + separator.text().size()));
  }
  return Value::Tuple({parts, 3});
}

// True when every code point satisfies the predicate, and there is one if `kNeedsOne`.
template <bool (*kPredicate)(char32_t), bool kNeedsOne = true>
Result All(RenderContext& context, const Value& self, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("str method", arguments, {}, 0, {}));
  const std::string_view text = self.text();
  RETURN_IF_ERROR(context.ChargeLetters(text.size()));
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    if (!kPredicate(CodePointAt(text, at))) return Value::Bool(false);
  }
  return Value::Bool(!kNeedsOne || !text.empty());
}

template <bool (*kOther)(char32_t), bool (*kSame)(char32_t)>
Result HasCase(RenderContext& context, const Value& self, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("str method", arguments, {}, 0, {}));
  const std::string_view text = self.text();
  RETURN_IF_ERROR(context.ChargeLetters(text.size()));
  bool cased = false;
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    const char32_t c = CodePointAt(text, at);
    if (kOther(c) || IsTitlecase(c)) return Value::Bool(false);
    cased = cased || kSame(c);
  }
  return Value::Bool(cased);
}

// True when capitals stand at the beginnings of words, small letters behind, and there is a word.
Result IsTitle(RenderContext& context, const Value& self, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("istitle", arguments, {}, 0, {}));
  const std::string_view text = self.text();
  RETURN_IF_ERROR(context.ChargeLetters(text.size()));
  bool any = false;
  bool in_word = false;
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    const char32_t c = CodePointAt(text, at);
    const bool capital = IsUppercase(c) || IsTitlecase(c);
    const bool small = IsLowercase(c);
    if ((capital && in_word) || (small && !in_word)) return Value::Bool(false);
    in_word = capital || small;
    any = any || in_word;
  }
  return Value::Bool(any);
}

Result IsIdentifier(RenderContext& context, const Value& self, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("isidentifier", arguments, {}, 0, {}));
  const std::string_view text = self.text();
  if (text.empty() || !BeginsIdentifier(CodePointAt(text, 0))) return Value::Bool(false);
  return All<ContinuesIdentifier>(context, self, arguments);
}

Result IsAsciiMethod(RenderContext& context, const Value& self, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("isascii", arguments, {}, 0, {}));
  RETURN_IF_ERROR(context.ChargeText(self.text().size()));
  return Value::Bool(IsAscii(self.text()));
}

Result Format(RenderContext& context, const Value& self, const Arguments& arguments) {
  return FormatBraces(context, self, arguments);
}

// The fields are the entries of a mapping.
Result FormatMap(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value mapping;
  RETURN_IF_ERROR(
      BindArguments("format_map", arguments, {"mapping"}, 1, absl::MakeSpan(&mapping, 1)));
  return FormatBraces(context, self, Arguments{},
                      mapping.is(Kind::kDict) ? &mapping.dict() : nullptr);
}

Result ExpandTabs(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value bound;
  RETURN_IF_ERROR(
      BindArguments("expandtabs", arguments, {"tabsize"}, 0, absl::MakeSpan(&bound, 1)));
  if (!bound.missing() && !bound.integral()) {
    return TypeError({"'", TypeName(bound), "' object cannot be interpreted as an integer"});
  }
  constexpr WideInt kFar = WideInt{1} << 40;
  const WideInt size = bound.missing() ? 8 : std::min(bound.integer(), kFar);
  RETURN_IF_ERROR(context.ChargeLetters(self.text().size()));
  std::string out;
  WideInt column = 0;
  for (const char c : self.text()) {
    if (c == '\t') {
      const auto blanks = static_cast<size_t>(size > 0 ? size - column % size : 0);
      if (!context.arena().Fits(out.size() + blanks)) return context.Reserve(out.size() + blanks);
      out.append(blanks, ' ');
      column += static_cast<WideInt>(blanks);
      continue;
    }
    out.push_back(c);
    if (c == '\n' || c == '\r') {
      column = 0;
    } else if ((static_cast<unsigned char>(c) & 0xC0u) != 0x80u) {
      ++column;
    }
  }
  return NewText(context, out);
}

// What a table of translate has for a letter: kMissing to keep it, None to leave it out.
Result Translated(RenderContext& context, const Value& table, char32_t c) {
  const Value key = Value::Int(c);
  if (table.is(Kind::kDict)) {
    const Value* found = table.dict().Find(context, key);
    return found == nullptr ? Value() : *found;
  }
  if (!table.string() && !table.sequence() && !table.is(Kind::kRange)) {
    return TypeError({"'", TypeName(table), "' object is not subscriptable"});
  }
  ASSIGN_OR_RETURN(const Value item, GetItem(context, table, key));
  return item.undefined() ? Value() : item;
}

Result Translate(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value table;
  RETURN_IF_ERROR(BindArguments("translate", arguments, {"table"}, 1, absl::MakeSpan(&table, 1)));
  constexpr WideInt kCodePoints = 0x110000;
  constexpr char32_t kReplacement = 0xFFFD;
  const std::string_view text = self.text();
  std::string out;
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    RETURN_IF_ERROR(context.Charge(1));
    ASSIGN_OR_RETURN(const Value with, Translated(context, table, CodePointAt(text, at)));
    if (with.missing()) {
      out.append(text.substr(at, SequenceLength(text, at)));
    } else if (with.string()) {
      out.append(with.text());
    } else if (with.integral()) {
      if (with.integer() < 0 || with.integer() >= kCodePoints) {
        return ValueError({"character mapping must be in range(0x110000)"});
      }
      const auto code = static_cast<char32_t>(with.integer());
      const bool surrogate = code >= 0xD800 && code < 0xE000;  // no UTF-8 says these
      AppendCodePoint(out, surrogate ? kReplacement : code);
    } else if (!with.none()) {
      return TypeError({"character mapping must return integer, None or str"});
    }
    if (!context.arena().Fits(out.size())) return context.Reserve(out.size());
  }
  return NewText(context, out);
}

// The table of translate that one dict describes: its keys may be letters.
Result TableOfDict(RenderContext& context, const Value& letters) {
  if (!letters.is(Kind::kDict)) {
    return TypeError({"if you give only one argument to maketrans it must be a dict"});
  }
  RETURN_IF_ERROR(context.Charge(letters.dict().size));
  DictBuilder table(context, letters.dict().size);
  for (uint32_t i = 0; i < letters.dict().size; ++i) {
    const DictEntry& entry = letters.dict().entries[i];
    if (entry.key.integral()) {
      table.Set(entry.key, entry.value);
    } else if (!entry.key.string()) {
      return TypeError({"keys in translate table must be strings or integers"});
    } else if (CodePointCount(entry.key.text()) != 1) {
      return ValueError({"string keys in translate table must be of length 1"});
    } else {
      table.Set(Value::Int(CodePointAt(entry.key.text(), 0)), entry.value);
    }
  }
  return table.Build();
}

Result MakeTable(RenderContext& context, const Value&, const Arguments& arguments) {
  Value bound[3];
  RETURN_IF_ERROR(BindArguments("maketrans", arguments, {"x", "y", "z"}, 1, absl::MakeSpan(bound)));
  if (bound[1].missing()) return TableOfDict(context, bound[0]);
  for (const Value& letters : bound) {
    if (!letters.missing() && !letters.string()) return NeedsString("maketrans argument", letters);
  }
  const std::string_view from = bound[0].text();
  const std::string_view to = bound[1].text();
  const std::string_view without = bound[2].missing() ? std::string_view() : bound[2].text();
  RETURN_IF_ERROR(context.ChargeLetters(from.size() + to.size() + without.size()));
  if (CodePointCount(from) != CodePointCount(to)) {
    return ValueError({"the first two maketrans arguments must have equal length"});
  }
  DictBuilder table(context, 4);
  size_t to_at = 0;
  for (size_t at = 0; at < from.size(); at += SequenceLength(from, at)) {
    RETURN_IF_ERROR(context.Charge(1));
    table.Set(Value::Int(CodePointAt(from, at)), Value::Int(CodePointAt(to, to_at)));
    to_at += SequenceLength(to, to_at);
  }
  for (size_t at = 0; at < without.size(); at += SequenceLength(without, at)) {
    RETURN_IF_ERROR(context.Charge(1));
    table.Set(Value::Int(CodePointAt(without, at)), Value::None());
  }
  return table.Build();
}

Result Encode(RenderContext&, const Value&, const Arguments&) {
  return PythonError("NotImplementedError",
                     {"str.encode() makes bytes, which chat templates do not have here"});
}

constexpr Method kMethods[] = {
    {"capitalize", &ConvertCase<Capitalize>},
    {"casefold", &ConvertCase<CaseFold>},
    {"center", &Pad<Padding::kBoth>},
    {"count", &Count},
    {"encode", &Encode},
    {"endswith", &HasAffix<false>},
    {"expandtabs", &ExpandTabs},
    {"find", &Find<false, false>},
    {"format", &Format},
    {"format_map", &FormatMap},
    {"index", &Find<false, true>},
    {"isalnum", &All<IsAlphanumeric>},
    {"isalpha", &All<IsAlphabetic>},
    {"isascii", &IsAsciiMethod},
    {"isdecimal", &All<IsDecimal>},
    {"isdigit", &All<IsDigit>},
    {"isidentifier", &IsIdentifier},
    {"islower", &HasCase<IsUppercase, IsLowercase>},
    {"isnumeric", &All<IsNumeric>},
    {"isprintable", &All<IsPrintable, /*kNeedsOne=*/false>},
    {"isspace", &All<IsSpace>},
    {"istitle", &IsTitle},
    {"isupper", &HasCase<IsLowercase, IsUppercase>},
    {"join", &Join},
    {"ljust", &Pad<Padding::kRight>},
    {"lower", &ConvertCase<Lower>},
    {"lstrip", &Strip<true, false>},
    {"maketrans", &MakeTable},
    {"partition", &Partition<false>},
    {"removeprefix", &RemoveAffix<true>},
    {"removesuffix", &RemoveAffix<false>},
    {"replace", &Replace},
    {"rfind", &Find<true, false>},
    {"rindex", &Find<true, true>},
    {"rjust", &Pad<Padding::kLeft>},
    {"rpartition", &Partition<true>},
    {"rsplit", &Split<true>},
    {"rstrip", &Strip<false, true>},
    {"split", &Split<false>},
    {"splitlines", &SplitLinesMethod},
    {"startswith", &HasAffix<true>},
    {"strip", &Strip<true, true>},
    {"swapcase", &ConvertCase<SwapCase>},
    {"title", &ConvertCase<Title>},
    {"translate", &Translate},
    {"upper", &ConvertCase<Upper>},
    {"zfill", &ZeroFill},
};

}  // namespace

absl::Span<const Method> TextMethods() { return kMethods; }

}  // namespace baton::frontend::internal
