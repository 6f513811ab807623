// Filters that look at a sequence as a whole.
#include <algorithm>
#include <string>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"
#include "frontend/chat/span_iterator.h"

namespace baton::frontend::internal {
namespace {

using Result = absl::StatusOr<Value>;

Result LengthOf(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  if (value.string()) RETURN_IF_ERROR(context.ChargeCodePoints(value.text().size()));
  const int64_t length = Length(value);
  if (length < 0) return TypeError({"object of type '", TypeName(value), "' has no len()"});
  return Value::Int(length);
}

Result First(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  ASSIGN_OR_RETURN(Cursor cursor, Cursor::Over(value));
  ASSIGN_OR_RETURN(const Value first, cursor.Next(context));
  if (!first.missing()) return first;
  return MakeUndefinedHint(context, "No first item, sequence was empty.");
}

// The items of a reversible value, in order.
absl::StatusOr<absl::Span<const Value>> ReversibleItems(RenderContext& context,
                                                        const Value& value) {
  if (value.is(Kind::kIterator) || value.undefined()) {
    if (value.undefined()) return absl::Span<const Value>();
    return TypeError({"'generator' object is not reversible"});
  }
  return Collect(context, value);
}

Result Last(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, ReversibleItems(context, value));
  if (!items.empty()) return items.back();
  return MakeUndefinedHint(context, "No last item, sequence was empty.");
}

// The item of a sequence of one. Of more, Jinja draws one at random.
Result Random(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("do_random", arguments, {}, 0, {}));
  if (value.string()) RETURN_IF_ERROR(context.ChargeCodePoints(value.text().size()));
  const int64_t length = Length(value);
  if (length < 0) return TypeError({"object of type '", TypeName(value), "' has no len()"});
  if (length == 0) return MakeUndefinedHint(context, "No random item, sequence was empty.");
  if (length > 1) {
    return PythonError("NotImplementedError",
                       {"the filter random: the prompt of a request may not depend on chance"});
  }
  if (value.is(Kind::kDictView)) {
    return TypeError({"'", TypeName(value), "' object is not subscriptable"});
  }
  ASSIGN_OR_RETURN(const Value item, GetItem(context, value, Value::Int(0)));
  if (item.undefined() && value.is(Kind::kDict)) return PythonError("KeyError", {"0"});
  return item;
}

Result ToList(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, value));
  return Value::List(items);
}

Result Reverse(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("filter", arguments, {}, 0, {}));
  if (value.string()) {
    return GetSlice(context, value, Value(), Value(), Value::Int(-1));
  }
  if (!Cursor::Over(value).ok()) {
    return PythonError("FilterArgumentError", {"argument must be iterable"});
  }
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, value));
  Value* reversed = context.arena().AllocateArray<Value>(items.size());
  std::reverse_copy(items.begin(), items.end(), reversed);
  const absl::Span<const Value> span(reversed, items.size());
  if (value.is(Kind::kIterator)) return Value::List(span);
  return MakeSpanIterator(context, span);
}

Result Join(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[2];  // d, attribute
  RETURN_IF_ERROR(
      BindArguments("do_join", arguments, {"d", "attribute"}, 0, absl::MakeSpan(bound)));
  const std::string separator = bound[0].missing() ? "" : Str(context, bound[0]);
  ASSIGN_OR_RETURN(Cursor cursor, Cursor::Over(value));
  std::string out;
  bool first = true;
  while (true) {
    ASSIGN_OR_RETURN(Value item, cursor.Next(context));
    if (item.missing()) break;
    ASSIGN_OR_RETURN(item, AttributePath(context, item, bound[1]));
    if (!first) out.append(separator);
    first = false;
    AppendStr(context, out, item);
    if (!context.arena().Fits(out.size())) return context.Reserve(out.size());
  }
  return NewText(context, out);
}

Result DictSort(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[3];
  RETURN_IF_ERROR(BindArguments("do_dictsort", arguments, {"case_sensitive", "by", "reverse"}, 0,
                                absl::MakeSpan(bound)));
  const std::string_view by = bound[1].string() ? bound[1].text() : bound[1].missing() ? "key" : "";
  if (by != "key" && by != "value") {
    return PythonError("FilterArgumentError", {"You can only sort by either \"key\" or \"value\""});
  }
  if (value.undefined()) return UndefinedError(value);
  if (!value.is(Kind::kDict)) {
    return PythonError("AttributeError",
                       {"'", TypeName(value), "' object has no attribute 'items'"});
  }
  const Dict& dict = value.dict();
  std::vector<Value> keys;
  for (uint32_t i = 0; i < dict.size; ++i) {
    const Value& key = by == "key" ? dict.entries[i].key : dict.entries[i].value;
    keys.push_back(Truthy(bound[0]) ? key : FoldCase(context, key));
  }
  ASSIGN_OR_RETURN(const std::vector<size_t> order, SortedOrder(context, keys, Truthy(bound[2])));
  Value* items = context.arena().AllocateArray<Value>(dict.size);
  for (size_t i = 0; i < order.size(); ++i) {
    items[i] = Value::Tuple({&dict.entries[order[i]].key, 2});
  }
  return Value::List({items, dict.size});
}

// What an item is compared by: the part that the attribute names.
Result OrderKey(RenderContext& context, const Value& item, const Value& attribute,
                bool case_sensitive) {
  ASSIGN_OR_RETURN(const Value key, AttributePath(context, item, attribute));
  return case_sensitive ? key : FoldCase(context, key);
}

// The sort key of an item: a list of the parts that a comma-separated attribute names. Parts that
// have no order, such as undefined ones, do no harm where they are equal.
Result SortKey(RenderContext& context, const Value& item, const Value& attribute,
               bool case_sensitive) {
  std::vector<Value> parts;
  std::string_view rest = attribute.string() ? attribute.text() : "";
  while (true) {
    const size_t comma = rest.find(',');
    const Value name = attribute.string() ? Value::String(rest.substr(0, comma)) : attribute;
    ASSIGN_OR_RETURN(const Value part, OrderKey(context, item, name, case_sensitive));
    parts.push_back(part);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  Value* items = context.arena().AllocateArray<Value>(parts.size());
  std::copy(parts.begin(), parts.end(), items);
  return Value::List({items, parts.size()});
}

Result Sort(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[3];
  RETURN_IF_ERROR(BindArguments("do_sort", arguments, {"reverse", "case_sensitive", "attribute"}, 0,
                                absl::MakeSpan(bound)));
  if (!bound[0].missing() && !bound[0].integral()) {
    return TypeError({"'", TypeName(bound[0]), "' object cannot be interpreted as an integer"});
  }
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, value));
  std::vector<Value> keys;
  for (const Value& item : items) {
    ASSIGN_OR_RETURN(const Value key, SortKey(context, item, bound[2], Truthy(bound[1])));
    keys.push_back(key);
  }
  ASSIGN_OR_RETURN(const std::vector<size_t> order, SortedOrder(context, keys, Truthy(bound[0])));
  Value* sorted = context.arena().AllocateArray<Value>(items.size());
  for (size_t i = 0; i < order.size(); ++i) sorted[i] = items[order[i]];
  return Value::List({sorted, items.size()});
}

Result Extreme(RenderContext& context, const Value& value, const Arguments& arguments,
               bool largest) {
  Value bound[2];
  RETURN_IF_ERROR(BindArguments("min_or_max", arguments, {"case_sensitive", "attribute"}, 0,
                                absl::MakeSpan(bound)));
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, value));
  if (items.empty()) return MakeUndefinedHint(context, "No aggregated item, sequence was empty.");
  Value best = items[0];
  ASSIGN_OR_RETURN(Value best_key, OrderKey(context, best, bound[1], Truthy(bound[0])));
  for (const Value& item : items.subspan(1)) {
    ASSIGN_OR_RETURN(const Value key, OrderKey(context, item, bound[1], Truthy(bound[0])));
    ASSIGN_OR_RETURN(const bool better,
                     largest ? Less(context, best_key, key) : Less(context, key, best_key));
    if (!better) continue;
    best = item;
    best_key = key;
  }
  return best;
}

Result Min(RenderContext& context, const Value& value, const Arguments& arguments) {
  return Extreme(context, value, arguments, /*largest=*/false);
}

Result Max(RenderContext& context, const Value& value, const Arguments& arguments) {
  return Extreme(context, value, arguments, /*largest=*/true);
}

Result Sum(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[2];
  RETURN_IF_ERROR(
      BindArguments("do_sum", arguments, {"attribute", "start"}, 0, absl::MakeSpan(bound)));
  Value total = bound[1].missing() ? Value::Int(0) : bound[1];
  if (total.string()) return TypeError({"sum() can't sum strings [use ''.join(seq) instead]"});
  ASSIGN_OR_RETURN(Cursor cursor, Cursor::Over(value));
  while (true) {
    ASSIGN_OR_RETURN(Value item, cursor.Next(context));
    if (item.missing()) return total;
    ASSIGN_OR_RETURN(item, AttributePath(context, item, bound[0]));
    ASSIGN_OR_RETURN(total, Apply(context, BinaryOperator::kAdd, total, item));
  }
}

// Groups of items with an equal part, in the order of these parts. A group shows the part as its
// first item has it.
Result GroupBy(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[3];
  RETURN_IF_ERROR(BindArguments("do_groupby", arguments, {"attribute", "default", "case_sensitive"},
                                1, absl::MakeSpan(bound)));
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, value));
  std::vector<Value> parts;
  std::vector<Value> keys;
  for (const Value& item : items) {
    ASSIGN_OR_RETURN(const Value part, AttributePath(context, item, bound[0], bound[1]));
    parts.push_back(part);
    keys.push_back(Truthy(bound[2]) ? part : FoldCase(context, part));
  }
  ASSIGN_OR_RETURN(const std::vector<size_t> order, SortedOrder(context, keys, /*reverse=*/false));
  std::vector<Value> groups;
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && Equal(context, keys[order[begin]], keys[order[end]])) ++end;
    Value* members = context.arena().AllocateArray<Value>(end - begin);
    for (size_t i = begin; i < end; ++i) members[i - begin] = items[order[i]];
    Value* group = context.arena().AllocateArray<Value>(2);
    group[0] = parts[order[begin]];
    group[1] = Value::List({members, end - begin});
    groups.push_back(Value::Group({group, 2}));
    begin = end;
  }
  Value* out = context.arena().AllocateArray<Value>(groups.size());
  std::copy(groups.begin(), groups.end(), out);
  return Value::List({out, groups.size()});
}

// What batch makes for a size that no list has: one list.
Result OneBatch(RenderContext& context, absl::Span<const Value> items) {
  if (items.empty()) return MakeSpanIterator(context, {});
  Value* list = context.arena().AllocateArray<Value>(1);
  list[0] = Value::List(items);
  return MakeSpanIterator(context, {list, 1});
}

// Lists of `count` items; the last one is filled up with `fill` when that is given.
Result Batch(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[2];
  RETURN_IF_ERROR(
      BindArguments("do_batch", arguments, {"linecount", "fill_with"}, 1, absl::MakeSpan(bound)));
  if (bound[0].integral() && bound[0].integer() > (1 << 20)) {
    return PythonError("limit exceeded", {"batch makes lists of at most 2^20 items"});
  }
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, value));
  if (!bound[0].integral()) return OneBatch(context, items);
  const bool fill = !bound[1].missing() && !bound[1].none();
  // As in Jinja, a size that is never reached makes one list, and 0 an empty one in front of it.
  const bool reachable = bound[0].integer() > 0;
  const size_t size = reachable ? static_cast<size_t>(bound[0].integer()) : items.size();
  std::vector<Value> lists;
  if (bound[0].integer() == 0 && !items.empty()) lists.push_back(Value::List({}));
  for (size_t at = 0; at < items.size(); at += size) {
    absl::Span<const Value> part = items.subspan(at, size);
    if (part.size() < size && fill) {
      RETURN_IF_ERROR(context.Reserve(size * sizeof(Value)));
      Value* padded = context.arena().AllocateArray<Value>(size);
      std::fill(std::copy(part.begin(), part.end(), padded), padded + size, bound[1]);
      part = {padded, size};
    }
    lists.push_back(Value::List(part));
  }
  Value* out = context.arena().AllocateArray<Value>(lists.size());
  std::copy(lists.begin(), lists.end(), out);
  return MakeSpanIterator(context, {out, lists.size()});
}

// `count` lists that share the items as evenly as possible.
Result SliceEvenly(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[2];
  RETURN_IF_ERROR(
      BindArguments("do_slice", arguments, {"slices", "fill_with"}, 1, absl::MakeSpan(bound)));
  if (bound[0].integral() && bound[0].integer() > (1 << 16)) {
    return PythonError("limit exceeded", {"slice makes at most 2^16 lists"});
  }
  if (!bound[0].integral()) {
    return TypeError({"unsupported operand type(s) for //: 'int' and '", TypeName(bound[0]), "'"});
  }
  if (bound[0].integer() == 0) return PythonError("ZeroDivisionError", {"division by zero"});
  if (bound[0].integer() < 0) return MakeSpanIterator(context, {});
  const auto count = static_cast<size_t>(bound[0].integer());
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, value));
  const size_t each = items.size() / count;
  const size_t longer = items.size() % count;
  Value* lists = context.arena().AllocateArray<Value>(count);
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t size = each + (i < longer ? 1 : 0);
    absl::Span<const Value> part = items.subspan(at, size);
    at += size;
    if (!bound[1].missing() && !bound[1].none() && i >= longer) {
      Value* padded = context.arena().AllocateArray<Value>(size + 1);
      std::copy(part.begin(), part.end(), padded);
      padded[size] = bound[1];
      part = {padded, size + 1};
    }
    lists[i] = Value::List(part);
  }
  return MakeSpanIterator(context, {lists, count});
}

constexpr FilterEntry kFilters[] = {
    {"batch", &Batch},     {"count", &LengthOf},    {"dictsort", &DictSort}, {"first", &First},
    {"groupby", &GroupBy}, {"join", &Join},         {"last", &Last},         {"length", &LengthOf},
    {"list", &ToList},     {"max", &Max},           {"min", &Min},           {"random", &Random},
    {"reverse", &Reverse}, {"slice", &SliceEvenly}, {"sort", &Sort},         {"sum", &Sum},
};

}  // namespace

absl::Span<const FilterEntry> SequenceFilters() { return kFilters; }

}  // namespace baton::frontend::internal
