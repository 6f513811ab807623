// The state of one render: arena, budget, clock reading, and how Python's errors are raised.
//
// Errors are absl statuses of code INVALID_ARGUMENT whose message begins with the class that
// Python would raise ("TypeError: ..."), except for raise_exception(), which carries the
// template's own words. The evaluator adds the line.
//
// Threading: owned by the render. Ownership: borrows nothing but the limits.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/clock.h"
#include "frontend/chat/arena.h"
#include "frontend/chat/render_limits.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

class RenderContext {
 public:
  RenderContext(const RenderLimits& limits, WallTime now)
      : limits_(limits), now_(now), arena_(limits.arena_bytes_max) {}

  RenderArena& arena() { return arena_; }
  const RenderLimits& limits() const { return limits_; }
  WallTime now() const { return now_; }

  // Takes `steps` from the budget; false if there were fewer. For walks that cannot fail: they stop
  // with any result, and the next Charge ends the render.
  bool Spend(int64_t steps) {
    steps_ += steps;
    return steps_ <= limits_.steps_max;
  }
  // Takes `steps` from the budget.
  absl::Status Charge(int64_t steps) {
    return Spend(steps) && !arena_.exhausted() ? absl::OkStatus() : OverBudget();
  }
  // Takes what copying `bytes` of text costs, or searching them for a byte.
  absl::Status ChargeText(size_t bytes) { return Charge(1 + static_cast<int64_t>(bytes >> 8)); }
  // The same for visiting each code point, and for looking each up among Unicode's letters.
  absl::Status ChargeCodePoints(size_t bytes) {
    return Charge(1 + static_cast<int64_t>(bytes >> 4));
  }
  absl::Status ChargeLetters(size_t bytes) { return Charge(1 + static_cast<int64_t>(bytes >> 1)); }
  // Refuses an operation that would make `bytes` of new values, and takes what copying them costs.
  absl::Status Reserve(size_t bytes);
  // The same for `count` pieces of `bytes` each; their product need not fit a size_t.
  absl::Status ReserveAll(size_t count, size_t bytes);

  // The line of the template being evaluated, for messages.
  int line = 0;
  // Nested evaluations; bounded by the evaluator.
  int depth = 0;
  // The template called raise_exception(): the error is its own message.
  bool raised = false;

 private:
  absl::Status OverBudget() const;

  const RenderLimits& limits_;
  const WallTime now_;
  RenderArena arena_;
  int64_t steps_ = 0;
};

// Joins `parts` into one Python-like error.
absl::Status TypeError(std::initializer_list<std::string_view> parts);
absl::Status ValueError(std::initializer_list<std::string_view> parts);
absl::Status PythonError(std::string_view type, std::initializer_list<std::string_view> parts);
// What using an undefined value raises.
absl::Status UndefinedError(const Value& undefined);
// Joins `parts` into a std::string.
std::string Joined(std::initializer_list<std::string_view> parts);

// An undefined value of the given origin.
Value MakeUndefined(RenderContext& context, const Value& object, const Value& name);
Value MakeUndefinedHint(RenderContext& context, std::string_view hint);
// An int, or a BigInt, or an error above 64 bits.
absl::StatusOr<Value> MakeInteger(WideInt value);

// The arguments of one call, as written.
struct KeywordArgument {
  std::string_view name;
  Value value;
};
struct Arguments {
  absl::Span<const Value> positional;
  absl::Span<const KeywordArgument> keyword;
};

// Fills `values` (one for each of `names`, kMissing where absent) as Python binds a call of
// `function`. At least `required` of them must be given.
absl::Status BindArguments(std::string_view function, const Arguments& arguments,
                           std::initializer_list<std::string_view> names, size_t required,
                           absl::Span<Value> values);

// An iteration over any iterable value.
class Cursor {
 public:
  // TypeError when the value is not iterable.
  static absl::StatusOr<Cursor> Over(const Value& iterable);

  // Returns kMissing at the end. Charges one step.
  absl::StatusOr<Value> Next(RenderContext& context);

 private:
  explicit Cursor(const Value& source) : source_(source) {}

  Value source_;
  size_t position_ = 0;
};

// Collects what is left of an iteration into an array of the arena.
absl::StatusOr<absl::Span<const Value>> Collect(RenderContext& context, const Value& iterable);

}  // namespace baton::frontend::internal
