// A value of the template language, with Python's types and Python's notion of equality.
//
// Sixteen bytes, trivially copyable, immutable but for namespaces: text, items and entries lie in
// the render's arena, in the template (constants) or in the caller's JSON (inputs).
//
// Threading: as the arena it points into. Ownership: none; a Value is valid while arena, template
// and input live.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "frontend/chat/arena.h"

namespace baton::frontend::internal {

class RenderContext;
class Value;
struct Dict;
struct Arguments;
struct MacroStatement;
struct Activation;
class LoopState;

enum class Kind : uint8_t {
  kMissing,  // no value at all: an unset slot, an absent argument, the end of an iteration
  kUndefined,
  kNone,
  kBool,
  kInt,
  kBigInt,  // an integer above INT64_MAX, kept as uint64_t
  kFloat,
  kString,
  kList,
  kTuple,
  kDict,
  kRange,
  kDictView,
  kIterator,
  kNamespace,
  kMacro,
  kMethod,
  kFunction,
  kLoop,
};

using WideInt = __int128;

// Why a value is undefined; becomes the message when a template uses it.
struct UndefinedInfo;
struct RangeInfo {
  int64_t start;
  int64_t stop;
  int64_t step;
  int64_t Length() const;
};
enum class DictViewKind : uint8_t { kKeys, kValues, kItems };

// A generator: yields each value once, and is exhausted afterwards.
class Iterator {
 public:
  // Returns kMissing at the end.
  virtual absl::StatusOr<Value> Next(RenderContext& context) = 0;

 protected:
  ~Iterator() = default;
};

// A callable of the engine: a global such as range, or the state of joiner() and cycler().
struct Function {
  const char* name;
  absl::StatusOr<Value> (*call)(RenderContext&, void* state, const Arguments&);
  void* state = nullptr;
};

struct BoundMethod;
struct NamespaceObject;

// A macro together with the activation in which it was defined.
struct MacroClosure {
  const MacroStatement* macro;
  Activation* defined_in;
};

class Value {
 public:
  constexpr Value() = default;
  static constexpr Value None() { return Value(Kind::kNone); }
  static constexpr Value Bool(bool value) {
    Value v(Kind::kBool);
    v.data_.integer = value ? 1 : 0;
    return v;
  }
  static constexpr Value Int(int64_t value) {
    Value v(Kind::kInt);
    v.data_.integer = value;
    return v;
  }
  static constexpr Value BigInt(uint64_t value) {
    Value v(Kind::kBigInt);
    v.data_.integer = static_cast<int64_t>(value);
    return v;
  }
  static constexpr Value Float(double value) {
    Value v(Kind::kFloat);
    v.data_.real = value;
    return v;
  }
  static Value String(std::string_view text) {
    return Sized(Kind::kString, text.data(), text.size());
  }
  // Text that `|safe` marked: joining it to plain text escapes the plain text.
  static Value Markup(std::string_view text) {
    Value v = String(text);
    v.flag_ = 1;
    return v;
  }
  static Value List(absl::Span<const Value> items) {
    return Sized(Kind::kList, items.data(), items.size());
  }
  static Value Tuple(absl::Span<const Value> items) {
    return Sized(Kind::kTuple, items.data(), items.size());
  }
  // What groupby yields: a tuple of a key and a list, whose items have the names grouper and list.
  static Value Group(absl::Span<const Value> key_and_list) {
    Value v = Tuple(key_and_list);
    v.flag_ = 1;
    return v;
  }
  static Value Of(const Dict* dict) { return Pointer(Kind::kDict, dict); }
  static Value Of(const RangeInfo* range) { return Pointer(Kind::kRange, range); }
  static Value Of(const UndefinedInfo* info) { return Pointer(Kind::kUndefined, info); }
  static Value Of(const Function* function) { return Pointer(Kind::kFunction, function); }
  static Value Of(const MacroClosure* macro) { return Pointer(Kind::kMacro, macro); }
  static Value Of(const BoundMethod* method) { return Pointer(Kind::kMethod, method); }
  static Value Of(NamespaceObject* object) { return Pointer(Kind::kNamespace, object); }
  static Value Of(Iterator* iterator) { return Pointer(Kind::kIterator, iterator); }
  static Value Of(LoopState* loop) { return Pointer(Kind::kLoop, loop); }
  static Value DictView(const Dict* dict, DictViewKind kind) {
    Value v = Pointer(Kind::kDictView, dict);
    v.flag_ = static_cast<uint8_t>(kind);
    return v;
  }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool missing() const { return kind_ == Kind::kMissing; }
  bool undefined() const { return kind_ == Kind::kUndefined; }
  bool none() const { return kind_ == Kind::kNone; }
  bool string() const { return kind_ == Kind::kString; }
  bool markup() const { return kind_ == Kind::kString && flag_ != 0; }
  bool group() const { return kind_ == Kind::kTuple && flag_ != 0; }
  bool sequence() const { return kind_ == Kind::kList || kind_ == Kind::kTuple; }
  // int, bool: whatever has an exact integer value.
  bool integral() const {
    return kind_ == Kind::kInt || kind_ == Kind::kBool || kind_ == Kind::kBigInt;
  }
  bool number() const { return integral() || kind_ == Kind::kFloat; }
  bool callable() const {
    return kind_ == Kind::kMacro || kind_ == Kind::kMethod || kind_ == Kind::kFunction ||
           kind_ == Kind::kLoop || kind_ == Kind::kUndefined;
  }

  // REQUIRES for each: the value is of that kind.
  bool bool_value() const { return data_.integer != 0; }
  WideInt integer() const {
    return kind_ == Kind::kBigInt ? static_cast<WideInt>(static_cast<uint64_t>(data_.integer))
                                  : static_cast<WideInt>(data_.integer);
  }
  double real() const {
    return kind_ == Kind::kFloat ? data_.real : static_cast<double>(integer());
  }
  std::string_view text() const { return {data_.text, size_}; }
  absl::Span<const Value> items() const { return {data_.items, size_}; }
  const Dict& dict() const { return *static_cast<const Dict*>(data_.pointer); }
  const RangeInfo& range() const { return *static_cast<const RangeInfo*>(data_.pointer); }
  const UndefinedInfo& undefined_info() const {
    return *static_cast<const UndefinedInfo*>(data_.pointer);
  }
  const Function& function() const { return *static_cast<const Function*>(data_.pointer); }
  const MacroClosure& macro() const { return *static_cast<const MacroClosure*>(data_.pointer); }
  const BoundMethod& method() const { return *static_cast<const BoundMethod*>(data_.pointer); }
  NamespaceObject& name_space() const {
    return *static_cast<NamespaceObject*>(const_cast<void*>(data_.pointer));
  }
  Iterator& iterator() const { return *static_cast<Iterator*>(const_cast<void*>(data_.pointer)); }
  LoopState& loop() const { return *static_cast<LoopState*>(const_cast<void*>(data_.pointer)); }
  DictViewKind view_kind() const { return static_cast<DictViewKind>(flag_); }
  // The same object, as Python's `is` means it.
  bool Same(const Value& other) const {
    return kind_ == other.kind_ && size_ == other.size_ && data_.integer == other.data_.integer;
  }

 private:
  explicit constexpr Value(Kind kind) : kind_(kind) {}
  static Value Sized(Kind kind, const void* data, size_t size) {
    Value v = Pointer(kind, data);
    v.size_ = static_cast<uint32_t>(size);
    return v;
  }
  static Value Pointer(Kind kind, const void* pointer) {
    Value v(kind);
    v.data_.pointer = pointer;
    return v;
  }

  Kind kind_ = Kind::kMissing;
  uint8_t flag_ = 0;
  uint32_t size_ = 0;
  union {
    int64_t integer = 0;
    double real;
    const char* text;
    const Value* items;
    const void* pointer;
  } data_;
};
static_assert(sizeof(Value) == 16);

struct UndefinedInfo {
  Value object;           // kMissing for a bare name
  Value name;             // a string, or the index that was not found
  std::string_view hint;  // the whole message when not empty
  bool unsafe = false;    // the sandbox hid an attribute: SecurityError instead of UndefinedError
};

struct DictEntry {
  Value key;
  Value value;
};

// An insertion-ordered map. Small ones are searched, larger ones have a hash index.
struct Dict {
  const DictEntry* entries = nullptr;
  uint32_t size = 0;
  const uint32_t* index = nullptr;  // open addressing, entry number + 1; null when small
  uint32_t mask = 0;

  // Returns null when there is no such key. REQUIRES: Hashable(key).
  const Value* Find(RenderContext& context, const Value& key) const;
  const Value* Find(std::string_view key) const;
};

// Collects entries; a later entry with an equal key replaces the value in place.
class DictBuilder {
 public:
  DictBuilder(RenderContext& context, size_t capacity);
  void Set(const Value& key, const Value& value);
  Value Build() const;

 private:
  void Grow();
  void Insert(uint32_t number);

  RenderContext& context_;
  DictEntry* entries_;
  uint32_t size_ = 0;
  uint32_t capacity_;
  uint32_t* index_ = nullptr;
  uint32_t mask_ = 0;
};

// What namespace() makes: the one mutable object of the language.
struct NamespaceObject {
  DictEntry* entries = nullptr;
  uint32_t size = 0;
  uint32_t capacity = 0;

  const Value* Find(std::string_view name) const;
  void Set(RenderArena& arena, std::string_view name, const Value& value);
};

// Python's bool(value).
bool Truthy(const Value& value);
// Python's ==. Containers nested deeper than 200 are unequal. This and what follows takes its work
// from the budget of the render, whose end is also theirs.
bool Equal(RenderContext& context, const Value& left, const Value& right, int depth = 0);
// False also for tuples nested deeper than 200.
bool Hashable(RenderContext& context, const Value& value, int depth = 0);
uint64_t Hash(RenderContext& context, const Value& value);
// The name of the value's Python type, as error messages show it.
std::string_view TypeName(const Value& value);
// The number of code points of UTF-8 text.
size_t CodePointCount(std::string_view text);
// len(value), or -1 when the type has no length.
int64_t Length(const Value& value);

}  // namespace baton::frontend::internal
