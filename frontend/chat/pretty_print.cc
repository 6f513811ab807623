#include "frontend/chat/pretty_print.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"
#include "frontend/chat/text_lines.h"

namespace baton::frontend::internal {
namespace {

constexpr int64_t kWidth = 80;
constexpr int kDepthMax = 200;

int64_t Columns(std::string_view text) { return static_cast<int64_t>(CodePointCount(text)); }

// What pprint lays out itself; everything else is written as it writes itself.
bool IsLaidOut(const Value& value) {
  return value.is(Kind::kDict) || value.is(Kind::kList) ||
         (value.is(Kind::kTuple) && !value.group());
}

class PrettyPrinter {
 public:
  explicit PrettyPrinter(RenderContext& context) : context_(context) {}

  absl::StatusOr<std::string> Print(const Value& value) {
    RETURN_IF_ERROR(Format(value, Place{0, 0, 0}));
    return std::move(out_);
  }

 private:
  // Where a value stands: its column, what must fit behind it in its last line, its nesting.
  struct Place {
    int64_t indent;
    int64_t allowance;
    int level;
  };

  absl::Status Format(const Value& value, Place place);
  absl::Status FormatItems(absl::Span<const Value> items, const Place& place);
  absl::Status FormatDict(const Dict& dict, const Place& place);
  absl::Status FormatText(std::string_view text, Place place);
  absl::StatusOr<std::vector<std::string>> TextChunks(std::string_view text, const Place& place);
  absl::Status NewLine(int64_t indent);

  // The value in one line, with sorted dicts.
  absl::StatusOr<std::string> OneLine(const Value& value);
  absl::Status AppendOneLine(std::string& out, const Value& value, int depth);
  absl::StatusOr<std::vector<const DictEntry*>> Sorted(const Dict& dict);

  RenderContext& context_;
  std::string out_;
};

// Keys that have no order among them are ordered by their types' names.
absl::StatusOr<std::vector<const DictEntry*>> PrettyPrinter::Sorted(const Dict& dict) {
  RETURN_IF_ERROR(context_.Charge(dict.size));
  std::vector<const DictEntry*> entries;
  for (uint32_t i = 0; i < dict.size; ++i) entries.push_back(&dict.entries[i]);
  std::stable_sort(entries.begin(), entries.end(), [&](const DictEntry* a, const DictEntry* b) {
    const absl::StatusOr<bool> less = Less(context_, a->key, b->key);
    if (less.ok()) return *less;
    // With the budget spent nothing is less than anything: a sort whose answers change from false
    // to true would run out of the list.
    return context_.Charge(0).ok() && TypeName(a->key) < TypeName(b->key);
  });
  RETURN_IF_ERROR(context_.Charge(1));
  return entries;
}

absl::Status PrettyPrinter::AppendOneLine(std::string& out, const Value& value, int depth) {
  if (!context_.arena().Fits(out.size())) return context_.Reserve(out.size());
  RETURN_IF_ERROR(context_.Charge(1));
  if (!IsLaidOut(value) || depth > kDepthMax) {
    AppendRepr(context_, out, value, depth);
    return context_.Charge(0);
  }
  bool first = true;
  if (value.is(Kind::kDict)) {
    ASSIGN_OR_RETURN(const std::vector<const DictEntry*> entries, Sorted(value.dict()));
    out.push_back('{');
    for (const DictEntry* entry : entries) {
      if (!std::exchange(first, false)) out.append(", ");
      RETURN_IF_ERROR(AppendOneLine(out, entry->key, depth + 1));
      out.append(": ");
      RETURN_IF_ERROR(AppendOneLine(out, entry->value, depth + 1));
    }
    out.push_back('}');
    return absl::OkStatus();
  }
  const bool list = value.is(Kind::kList);
  out.push_back(list ? '[' : '(');
  for (const Value& item : value.items()) {
    if (!std::exchange(first, false)) out.append(", ");
    RETURN_IF_ERROR(AppendOneLine(out, item, depth + 1));
  }
  out.append(list ? "]" : value.items().size() == 1 ? ",)" : ")");
  return absl::OkStatus();
}

absl::StatusOr<std::string> PrettyPrinter::OneLine(const Value& value) {
  std::string line;
  RETURN_IF_ERROR(AppendOneLine(line, value, 0));
  return line;
}

absl::Status PrettyPrinter::NewLine(int64_t indent) {
  const auto blanks = static_cast<size_t>(indent);
  if (!context_.arena().Fits(out_.size() + blanks)) return context_.Reserve(out_.size() + blanks);
  RETURN_IF_ERROR(context_.ChargeText(blanks));
  out_.push_back('\n');
  out_.append(blanks, ' ');
  return absl::OkStatus();
}

absl::Status PrettyPrinter::Format(const Value& value, Place place) {
  ASSIGN_OR_RETURN(const std::string line, OneLine(value));
  ++place.level;
  if (Columns(line) > kWidth - place.indent - place.allowance && place.level <= kDepthMax) {
    if (value.string() && !value.markup() && !value.text().empty())
      return FormatText(value.text(), place);
    if (value.is(Kind::kDict)) return FormatDict(value.dict(), place);
    if (IsLaidOut(value)) {
      const bool list = value.is(Kind::kList);
      const std::string_view end = list ? "]" : value.items().size() == 1 ? ",)" : ")";
      out_.push_back(list ? '[' : '(');
      place.allowance += static_cast<int64_t>(end.size());
      RETURN_IF_ERROR(FormatItems(value.items(), place));
      out_.append(end);
      return absl::OkStatus();
    }
  }
  if (!context_.arena().Fits(out_.size() + line.size())) {
    return context_.Reserve(out_.size() + line.size());
  }
  out_.append(line);
  return absl::OkStatus();
}

absl::Status PrettyPrinter::FormatItems(absl::Span<const Value> items, const Place& place) {
  const int64_t indent = place.indent + 1;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) {
      out_.push_back(',');
      RETURN_IF_ERROR(NewLine(indent));
    }
    const bool last = i + 1 == items.size();
    RETURN_IF_ERROR(Format(items[i], Place{indent, last ? place.allowance : 1, place.level}));
  }
  return absl::OkStatus();
}

absl::Status PrettyPrinter::FormatDict(const Dict& dict, const Place& place) {
  const int64_t indent = place.indent + 1;
  ASSIGN_OR_RETURN(const std::vector<const DictEntry*> entries, Sorted(dict));
  out_.push_back('{');
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) {
      out_.push_back(',');
      RETURN_IF_ERROR(NewLine(indent));
    }
    ASSIGN_OR_RETURN(const std::string key, OneLine(entries[i]->key));
    out_.append(key).append(": ");
    const bool last = i + 1 == entries.size();
    RETURN_IF_ERROR(Format(entries[i]->value, Place{indent + Columns(key) + 2,
                                                    last ? place.allowance + 1 : 1, place.level}));
  }
  out_.push_back('}');
  return absl::OkStatus();
}

// The end of the word at `at` and of the white space behind it.
size_t PartEnd(std::string_view text, size_t at) {
  while (at < text.size() && !IsSpace(CodePointAt(text, at))) at += SequenceLength(text, at);
  while (at < text.size() && IsSpace(CodePointAt(text, at))) at += SequenceLength(text, at);
  return at;
}

// The text as literals side by side, each of whole lines or words where they fit.
absl::StatusOr<std::vector<std::string>> PrettyPrinter::TextChunks(std::string_view text,
                                                                   const Place& place) {
  // A line may be one byte, and takes a literal.
  RETURN_IF_ERROR(context_.ReserveAll(LinesMax(text), 2 * sizeof(std::string)));
  std::vector<std::string> chunks;
  const std::vector<std::string_view> lines = SplitLines(text, /*keep_ends=*/true);
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool last_line = i + 1 == lines.size();
    const int64_t room = kWidth - place.indent;
    std::string literal = ScalarRepr(Value::String(lines[i]));
    if (Columns(literal) <= room - (last_line ? place.allowance : 0)) {
      chunks.push_back(std::move(literal));
      continue;
    }
    size_t begin = 0;  // of the words that go into one literal
    for (size_t at = 0; at < lines[i].size();) {
      const size_t end = PartEnd(lines[i], at);
      const bool last = last_line && end == lines[i].size();
      RETURN_IF_ERROR(context_.ChargeLetters(end - begin));
      const std::string candidate = ScalarRepr(Value::String(lines[i].substr(begin, end - begin)));
      if (Columns(candidate) > room - (last ? place.allowance : 0)) {
        if (at > begin) {
          chunks.push_back(ScalarRepr(Value::String(lines[i].substr(begin, at - begin))));
        }
        begin = at;
      }
      at = end;
    }
    if (begin < lines[i].size()) {
      chunks.push_back(ScalarRepr(Value::String(lines[i].substr(begin))));
    }
  }
  return chunks;
}

absl::Status PrettyPrinter::FormatText(std::string_view text, Place place) {
  RETURN_IF_ERROR(context_.ChargeLetters(text.size()));
  const bool outermost = place.level == 1;
  if (outermost) {
    ++place.indent;
    ++place.allowance;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> chunks, TextChunks(text, place));
  const bool parentheses = outermost && chunks.size() > 1;
  if (parentheses) out_.push_back('(');
  for (size_t i = 0; i < chunks.size(); ++i) {
    if (i > 0) RETURN_IF_ERROR(NewLine(place.indent));
    out_.append(chunks[i]);
  }
  if (parentheses) out_.push_back(')');
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> PrettyPrint(RenderContext& context, const Value& value) {
  return PrettyPrinter(context).Print(value);
}

}  // namespace baton::frontend::internal
