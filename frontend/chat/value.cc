#include "frontend/chat/value.h"

#include <cmath>
#include <functional>

#include "frontend/chat/render_context.h"

namespace baton::frontend::internal {
namespace {

constexpr uint32_t kIndexedFrom = 12;  // smaller dicts are searched faster than hashed
constexpr int kDepthMax = 200;

bool EqualItems(RenderContext& context, absl::Span<const Value> left, absl::Span<const Value> right,
                int depth) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (!Equal(context, left[i], right[i], depth + 1)) return false;
  }
  return true;
}

bool EqualDicts(RenderContext& context, const Dict& left, const Dict& right, int depth) {
  if (left.size != right.size) return false;
  for (uint32_t i = 0; i < left.size; ++i) {
    const Value* other = right.Find(context, left.entries[i].key);
    if (other == nullptr || !Equal(context, left.entries[i].value, *other, depth + 1)) return false;
  }
  return true;
}

uint64_t TextHash(std::string_view text) { return std::hash<std::string_view>()(text); }

bool EqualNumbers(const Value& left, const Value& right) {
  if (left.integral() && right.integral()) return left.integer() == right.integer();
  return left.real() == right.real();
}

bool EqualRanges(const RangeInfo& left, const RangeInfo& right) {
  if (left.Length() != right.Length()) return false;
  return left.Length() == 0 ||
         (left.start == right.start && (left.Length() == 1 || left.step == right.step));
}

}  // namespace

int64_t RangeInfo::Length() const {
  if (step > 0) return start < stop ? (stop - start - 1) / step + 1 : 0;
  return start > stop ? (start - stop - 1) / -step + 1 : 0;
}

const Value* Dict::Find(RenderContext& context, const Value& key) const {
  if (index == nullptr) {
    for (uint32_t i = 0; i < size; ++i) {
      if (Equal(context, entries[i].key, key)) return &entries[i].value;
    }
    return nullptr;
  }
  for (uint64_t slot = Hash(context, key);; ++slot) {
    const uint32_t number = index[slot & mask];
    if (number == 0) return nullptr;
    if (Equal(context, entries[number - 1].key, key)) return &entries[number - 1].value;
  }
}

const Value* Dict::Find(std::string_view key) const {
  if (index != nullptr) {
    for (uint64_t slot = TextHash(key);; ++slot) {
      const uint32_t number = index[slot & mask];
      if (number == 0) return nullptr;
      const Value& candidate = entries[number - 1].key;
      if (candidate.string() && candidate.text() == key) return &entries[number - 1].value;
    }
  }
  for (uint32_t i = 0; i < size; ++i) {
    const Value& candidate = entries[i].key;
    if (candidate.string() && candidate.text() == key) return &entries[i].value;
  }
  return nullptr;
}

DictBuilder::DictBuilder(RenderContext& context, size_t capacity)
    : context_(context),
      entries_(context.arena().AllocateArray<DictEntry>(capacity)),
      capacity_(static_cast<uint32_t>(capacity)) {}

void DictBuilder::Set(const Value& key, const Value& value) {
  const Dict so_far{entries_, size_, index_, mask_};
  if (const Value* existing = so_far.Find(context_, key)) {
    *const_cast<Value*>(existing) = value;
    return;
  }
  if (size_ == capacity_) Grow();
  new (&entries_[size_++]) DictEntry{key, value};
  if (index_ != nullptr && size_ * 2 <= mask_ + 1) {
    Insert(size_);
  } else if (size_ >= kIndexedFrom) {
    const uint32_t slots = mask_ == 0 ? 64 : (mask_ + 1) * 2;
    index_ = context_.arena().AllocateArray<uint32_t>(slots);
    std::memset(index_, 0, slots * sizeof(uint32_t));
    mask_ = slots - 1;
    for (uint32_t number = 1; number <= size_; ++number) Insert(number);
  }
}

void DictBuilder::Grow() {
  capacity_ = capacity_ < 4 ? 8 : capacity_ * 2;
  DictEntry* larger = context_.arena().AllocateArray<DictEntry>(capacity_);
  std::copy(entries_, entries_ + size_, larger);
  entries_ = larger;
}

void DictBuilder::Insert(uint32_t number) {
  uint64_t slot = Hash(context_, entries_[number - 1].key);
  while (index_[slot & mask_] != 0) ++slot;
  index_[slot & mask_] = number;
}

Value DictBuilder::Build() const {
  return Value::Of(context_.arena().New<Dict>(Dict{entries_, size_, index_, mask_}));
}

const Value* NamespaceObject::Find(std::string_view name) const {
  for (uint32_t i = 0; i < size; ++i) {
    if (entries[i].key.text() == name) return &entries[i].value;
  }
  return nullptr;
}

void NamespaceObject::Set(RenderArena& arena, std::string_view name, const Value& value) {
  if (const Value* existing = Find(name)) {
    *const_cast<Value*>(existing) = value;
    return;
  }
  if (size == capacity) {
    capacity = capacity == 0 ? 8 : capacity * 2;
    DictEntry* larger = arena.AllocateArray<DictEntry>(capacity);
    std::copy(entries, entries + size, larger);
    entries = larger;
  }
  new (&entries[size++]) DictEntry{Value::String(name), value};
}

bool Truthy(const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
      return value.bool_value();
    case Kind::kInt:
    case Kind::kBigInt:
      return value.integer() != 0;
    case Kind::kFloat:
      return value.real() != 0;
    case Kind::kString:
      return !value.text().empty();
    default: {
      const int64_t length = Length(value);
      return length != 0;  // -1: a type without a length is true
    }
  }
}

bool Equal(RenderContext& context, const Value& left, const Value& right, int depth) {
  if (!context.Spend(1)) return false;
  if (left.string() && right.string()) {
    const std::string_view text = left.text();
    if (text.size() != right.text().size()) return false;
    return context.Spend(static_cast<int64_t>(text.size() >> 8)) && text == right.text();
  }
  if (left.number() && right.number()) return EqualNumbers(left, right);
  if (left.kind() != right.kind() || depth > kDepthMax) return false;
  switch (left.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
    case Kind::kMissing:
      return true;
    case Kind::kList:
    case Kind::kTuple:
      return EqualItems(context, left.items(), right.items(), depth);
    case Kind::kDict:
      return EqualDicts(context, left.dict(), right.dict(), depth);
    case Kind::kRange:
      return EqualRanges(left.range(), right.range());
    default:
      return left.Same(right);
  }
}

bool Hashable(RenderContext& context, const Value& value, int depth) {
  if (value.is(Kind::kList) || value.is(Kind::kDict) || value.is(Kind::kDictView)) return false;
  if (!value.is(Kind::kTuple)) return true;
  for (const Value& item : value.items()) {
    if (depth > kDepthMax) return false;
    if (!context.Spend(1)) return true;
    if (!Hashable(context, item, depth + 1)) return false;
  }
  return true;
}

uint64_t Hash(RenderContext& context, const Value& value) {
  switch (value.kind()) {
    case Kind::kString:
      if (!context.Spend(static_cast<int64_t>(value.text().size() >> 6))) return 0;
      return TextHash(value.text());
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kBigInt:
    case Kind::kFloat: {
      // Equal numbers hash alike whatever their type: 1, 1.0 and true are one key.
      const double real = value.real();
      return std::hash<double>()(real == 0 ? 0.0 : real);
    }
    case Kind::kTuple: {
      uint64_t hash = 0x9e3779b97f4a7c15u;
      for (const Value& item : value.items()) {
        if (!context.Spend(1)) return hash;
        hash = (hash ^ Hash(context, item)) * 0x100000001b3u;
      }
      return hash;
    }
    default:
      return static_cast<uint64_t>(value.kind());
  }
}

std::string_view TypeName(const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
    case Kind::kBigInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return value.markup() ? "Markup" : "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kDict:
      return "dict";
    case Kind::kRange:
      return "range";
    case Kind::kDictView:
      return value.view_kind() == DictViewKind::kKeys     ? "dict_keys"
             : value.view_kind() == DictViewKind::kValues ? "dict_values"
                                                          : "dict_items";
    case Kind::kIterator:
      return "generator";
    case Kind::kNamespace:
      return "Namespace";
    case Kind::kMacro:
      return "Macro";
    case Kind::kMethod:
      return "builtin_function_or_method";
    case Kind::kFunction:
      return "function";
    case Kind::kLoop:
      return "LoopContext";
  }
  return "object";
}

size_t CodePointCount(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0u) != 0x80u;
  return count;
}

int64_t Length(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return 0;
    case Kind::kString:
      return static_cast<int64_t>(CodePointCount(value.text()));
    case Kind::kList:
    case Kind::kTuple:
      return static_cast<int64_t>(value.items().size());
    case Kind::kDict:
    case Kind::kDictView:
      return value.dict().size;
    case Kind::kRange:
      return value.range().Length();
    default:
      return -1;
  }
}

}  // namespace baton::frontend::internal
