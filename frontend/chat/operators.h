// Python's operators and Jinja's attribute and item access on template values.
//
// Threading: owned by the render. Errors: INVALID_ARGUMENT with the class Python would raise.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "frontend/chat/render_context.h"
#include "frontend/chat/value.h"
#include "frontend/chat/value_objects.h"

namespace baton::frontend::internal {

enum class BinaryOperator { kAdd, kSub, kMul, kDiv, kFloorDiv, kMod, kPow };
enum class Comparison {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn
};

absl::StatusOr<Value> Apply(RenderContext& context, BinaryOperator op, const Value& left,
                            const Value& right);
absl::StatusOr<Value> Negate(const Value& value);
absl::StatusOr<Value> Posate(const Value& value);
absl::StatusOr<bool> Compare(RenderContext& context, Comparison comparison, const Value& left,
                             const Value& right);
// left < right by Python's rules; TypeError for types without an order.
absl::StatusOr<bool> Less(RenderContext& context, const Value& left, const Value& right,
                          int depth = 0);
// The stable order of `keys`; the TypeError of sorted() when two have no order.
absl::StatusOr<std::vector<size_t>> SortedOrder(RenderContext& context,
                                                const std::vector<Value>& keys, bool reverse);

// object.name: attributes before items. `methods` is FindMethods(name).
absl::StatusOr<Value> GetAttribute(RenderContext& context, const Value& object,
                                   std::string_view name, const MethodSet* methods);
// object.name without its items; kMissing when there is no such attribute.
absl::StatusOr<Value> GetOwnAttribute(RenderContext& context, const Value& object,
                                      std::string_view name, const MethodSet* methods);
// object[index]: items before attributes.
absl::StatusOr<Value> GetItem(RenderContext& context, const Value& object, const Value& index);
// object[start:stop:step]; kMissing or None for absent bounds.
absl::StatusOr<Value> GetSlice(RenderContext& context, const Value& object, const Value& start,
                               const Value& stop, const Value& step);

// Escapes text for HTML as markupsafe does, into the arena.
Value EscapeHtml(RenderContext& context, const Value& value);

}  // namespace baton::frontend::internal
