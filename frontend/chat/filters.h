// The filters, tests, methods and globals of the template language, by name.
//
// They are Jinja's, with the differences that transformers makes (tojson escapes no HTML). Adding
// one is a function and a line in the table of the file that owns its kind.
//
// Threading: the tables are immutable.
#pragma once

#include <string_view>

#include "absl/types/span.h"
#include "frontend/chat/ast.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

struct FilterEntry {
  std::string_view name;
  FilterFunction function;
};
struct TestEntry {
  std::string_view name;
  TestFunction function;
};

// Null when there is none of that name.
FilterFunction FindFilter(std::string_view name);
TestFunction FindTest(std::string_view name);

// The tables, by the kind of value that they work on.
absl::Span<const FilterEntry> TextFilters();
absl::Span<const FilterEntry> HtmlFilters();
absl::Span<const FilterEntry> NumberFilters();
absl::Span<const FilterEntry> SequenceFilters();
absl::Span<const FilterEntry> SelectionFilters();
absl::Span<const TestEntry> AllTests();

// range, dict, namespace, raise_exception, strftime_now and so on.
absl::Span<const Function> GlobalFunctions();

// The part of `item` that an attribute path names ("function.name", "0"): items before attributes.
// kMissing or None: the item itself.
absl::StatusOr<Value> AttributePath(RenderContext& context, const Value& item,
                                    const Value& attribute, const Value& fallback = Value());
// Lower case for text, anything else as it is: the key of case-insensitive filters.
Value FoldCase(RenderContext& context, const Value& value);
// The text of a value in the arena.
Value NewText(RenderContext& context, std::string_view text);
// The same, marked safe where `like` is.
Value NewTextLike(RenderContext& context, std::string_view text, const Value& like);

}  // namespace baton::frontend::internal
