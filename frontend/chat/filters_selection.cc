// Filters that yield items one by one: map, select, reject, unique, items; and attr.
//
// The first are generators, as in Jinja: nothing is computed before somebody iterates, and what was
// iterated is gone.
#include <algorithm>
#include <string>

#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"
#include "frontend/chat/span_iterator.h"

namespace baton::frontend::internal {
namespace {

using Result = absl::StatusOr<Value>;

// Copies arguments into the arena, without the first `skip`.
Arguments Keep(RenderContext& context, const Arguments& arguments, size_t skip) {
  const size_t count = arguments.positional.size() - skip;
  Value* positional = context.arena().AllocateArray<Value>(count);
  std::copy(arguments.positional.begin() + static_cast<ptrdiff_t>(skip), arguments.positional.end(),
            positional);
  auto* keyword = context.arena().AllocateArray<KeywordArgument>(arguments.keyword.size());
  std::copy(arguments.keyword.begin(), arguments.keyword.end(), keyword);
  return Arguments{{positional, count}, {keyword, arguments.keyword.size()}};
}

template <typename T, typename... Args>
Value NewIterator(RenderContext& context, Args&&... args) {
  return Value::Of(static_cast<Iterator*>(context.arena().New<T>(std::forward<Args>(args)...)));
}

class AttributeMap final : public Iterator {
 public:
  AttributeMap(const Cursor& cursor, const Value& attribute, const Value& fallback)
      : cursor_(cursor), attribute_(attribute), fallback_(fallback) {}
  Result Next(RenderContext& context) override {
    ASSIGN_OR_RETURN(const Value item, cursor_.Next(context));
    if (item.missing()) return item;
    return AttributePath(context, item, attribute_, fallback_);
  }

 private:
  Cursor cursor_;
  const Value attribute_;
  const Value fallback_;
};

class FilterMap final : public Iterator {
 public:
  FilterMap(const Cursor& cursor, FilterFunction filter, const Arguments& arguments)
      : cursor_(cursor), filter_(filter), arguments_(arguments) {}
  Result Next(RenderContext& context) override {
    ASSIGN_OR_RETURN(const Value item, cursor_.Next(context));
    if (item.missing()) return item;
    return filter_(context, item, arguments_);
  }

 private:
  Cursor cursor_;
  const FilterFunction filter_;
  const Arguments arguments_;
};

class Selection final : public Iterator {
 public:
  struct Condition {
    Value attribute;    // kMissing: the item itself
    TestFunction test;  // null: truth
    Arguments arguments;
    bool keep;
  };
  Selection(const Cursor& cursor, const Condition& condition)
      : cursor_(cursor), condition_(condition) {}
  Result Next(RenderContext& context) override {
    while (true) {
      ASSIGN_OR_RETURN(const Value item, cursor_.Next(context));
      if (item.missing()) return item;
      ASSIGN_OR_RETURN(const Value subject, AttributePath(context, item, condition_.attribute));
      bool holds = false;
      if (condition_.test == nullptr) {
        holds = Truthy(subject);
      } else {
        ASSIGN_OR_RETURN(holds, condition_.test(context, subject, condition_.arguments));
      }
      if (holds == condition_.keep) return item;
    }
  }

 private:
  Cursor cursor_;
  const Condition condition_;
};

// Yields what the table of entries of a mapping holds; an error for anything else.
class ItemPairs final : public Iterator {
 public:
  explicit ItemPairs(const Value& value) : value_(value) {}
  Result Next(RenderContext&) override {
    if (value_.undefined()) return Value();
    if (!value_.is(Kind::kDict)) return TypeError({"Can only get item pairs from a mapping."});
    if (position_ >= value_.dict().size) return Value();
    return Value::Tuple({&value_.dict().entries[position_++].key, 2});
  }

 private:
  const Value value_;
  uint32_t position_ = 0;
};

Result Map(RenderContext& context, const Value& value, const Arguments& arguments) {
  if (!Truthy(value)) return MakeSpanIterator(context, {});
  ASSIGN_OR_RETURN(const Cursor cursor, Cursor::Over(value));
  if (arguments.positional.empty()) {
    Value bound[2];
    RETURN_IF_ERROR(
        BindArguments("map", arguments, {"attribute", "default"}, 0, absl::MakeSpan(bound)));
    if (bound[0].missing()) {
      return PythonError("FilterArgumentError", {"map requires a filter argument"});
    }
    return NewIterator<AttributeMap>(context, cursor, bound[0], bound[1]);
  }
  const std::string name = Str(context, arguments.positional[0]);
  const FilterFunction filter = FindFilter(name);
  if (filter == nullptr) {
    return PythonError("TemplateRuntimeError", {"No filter named '", name, "'."});
  }
  return NewIterator<FilterMap>(context, cursor, filter, Keep(context, arguments, 1));
}

Result Select(RenderContext& context, const Value& value, const Arguments& arguments,
              bool by_attribute, bool keep) {
  if (!Truthy(value)) return MakeSpanIterator(context, {});
  ASSIGN_OR_RETURN(const Cursor cursor, Cursor::Over(value));
  Selection::Condition condition{Value(), nullptr, {}, keep};
  size_t used = 0;
  if (by_attribute) {
    if (arguments.positional.empty()) {
      return PythonError("FilterArgumentError", {"Missing parameter for attribute name"});
    }
    condition.attribute = arguments.positional[used++];
  }
  if (arguments.positional.size() > used) {
    const std::string name = Str(context, arguments.positional[used++]);
    condition.test = FindTest(name);
    if (condition.test == nullptr) {
      return PythonError("TemplateRuntimeError", {"No test named '", name, "'."});
    }
    condition.arguments = Keep(context, arguments, used);
  }
  return NewIterator<Selection>(context, cursor, condition);
}

template <bool kByAttribute, bool kKeep>
Result SelectFilter(RenderContext& context, const Value& value, const Arguments& arguments) {
  return Select(context, value, arguments, kByAttribute, kKeep);
}

Result Items(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("do_items", arguments, {}, 0, {}));
  return NewIterator<ItemPairs>(context, value);
}

Result Unique(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[2];
  RETURN_IF_ERROR(BindArguments("do_unique", arguments, {"case_sensitive", "attribute"}, 0,
                                absl::MakeSpan(bound)));
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, value));
  DictBuilder seen(context, 8);
  for (const Value& item : items) {
    ASSIGN_OR_RETURN(Value key, AttributePath(context, item, bound[1]));
    if (!Truthy(bound[0])) key = FoldCase(context, key);
    if (!Hashable(context, key)) return TypeError({"unhashable type: '", TypeName(key), "'"});
    const Value so_far = seen.Build();
    if (so_far.dict().Find(context, key) == nullptr) seen.Set(key, item);
  }
  const Dict& dict = seen.Build().dict();
  Value* kept = context.arena().AllocateArray<Value>(dict.size);
  for (uint32_t i = 0; i < dict.size; ++i) kept[i] = dict.entries[i].value;
  return MakeSpanIterator(context, {kept, dict.size});
}

// object.name, but never object["name"].
Result Attribute(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value name;
  RETURN_IF_ERROR(BindArguments("do_attr", arguments, {"name"}, 1, absl::MakeSpan(&name, 1)));
  if (!name.string()) {
    return TypeError({"attribute name must be string, not '", TypeName(name), "'"});
  }
  if (value.undefined()) return UndefinedError(value);
  ASSIGN_OR_RETURN(const Value own,
                   GetOwnAttribute(context, value, name.text(), FindMethods(name.text())));
  return own.missing() ? MakeUndefined(context, value, name) : own;
}

constexpr FilterEntry kFilters[] = {
    {"attr", &Attribute},
    {"items", &Items},
    {"map", &Map},
    {"reject", &SelectFilter<false, false>},
    {"rejectattr", &SelectFilter<true, false>},
    {"select", &SelectFilter<false, true>},
    {"selectattr", &SelectFilter<true, true>},
    {"unique", &Unique},
};

template <typename Entry>
const Entry* FindEntry(absl::Span<const Entry> entries, std::string_view name) {
  for (const Entry& entry : entries) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace

absl::Span<const FilterEntry> SelectionFilters() { return kFilters; }

FilterFunction FindFilter(std::string_view name) {
  for (const auto& table :
       {TextFilters(), HtmlFilters(), NumberFilters(), SequenceFilters(), SelectionFilters()}) {
    if (const FilterEntry* entry = FindEntry(table, name)) return entry->function;
  }
  return nullptr;
}

TestFunction FindTest(std::string_view name) {
  const TestEntry* entry = FindEntry(AllTests(), name);
  return entry == nullptr ? nullptr : entry->function;
}

absl::StatusOr<Value> AttributePath(RenderContext& context, const Value& item,
                                    const Value& attribute, const Value& fallback) {
  if (attribute.missing() || attribute.none()) return item;
  Value value = item;
  if (!attribute.string()) {
    ASSIGN_OR_RETURN(value, GetItem(context, item, attribute));
  } else {
    std::string_view rest = attribute.text();
    while (true) {
      const size_t dot = rest.find('.');
      const std::string_view part = rest.substr(0, dot);
      const bool index = !part.empty() && part.size() < 10 &&
                         part.find_first_not_of("0123456789") == std::string_view::npos;
      ASSIGN_OR_RETURN(
          value, GetItem(context, value,
                         index ? Value::Int(std::stoi(std::string(part))) : Value::String(part)));
      if (!fallback.missing() && !fallback.none() && value.undefined()) value = fallback;
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
  }
  return value;
}

Value FoldCase(RenderContext& context, const Value& value) {
  if (!value.string()) return value;
  if (!context.ChargeLetters(value.text().size()).ok()) return value;  // the next step ends it
  return NewText(context, Lower(value.text()));
}

Value NewText(RenderContext& context, std::string_view text) {
  return Value::String(context.arena().Copy(text));
}

Value NewTextLike(RenderContext& context, std::string_view text, const Value& like) {
  const Value made = NewText(context, text);
  return like.markup() ? Value::Markup(made.text()) : made;
}

}  // namespace baton::frontend::internal
