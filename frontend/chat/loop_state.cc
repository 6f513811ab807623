#include "frontend/chat/loop_state.h"

#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/operators.h"

namespace baton::frontend::internal {
namespace {

absl::StatusOr<Value> CallCycle(RenderContext&, void* state, const Arguments& arguments) {
  return static_cast<LoopState*>(state)->Cycle(arguments);
}

absl::StatusOr<Value> CallChanged(RenderContext& context, void* state, const Arguments& arguments) {
  return static_cast<LoopState*>(state)->Changed(context, arguments);
}

}  // namespace

absl::StatusOr<Value> LoopState::Fetch(RenderContext& context) {
  while (true) {
    ASSIGN_OR_RETURN(const Value item, cursor_.Next(context));
    if (item.missing() || filter_ == nullptr) return item;
    ASSIGN_OR_RETURN(const bool passes, filter_->Passes(item));
    if (passes) return item;
  }
}

absl::StatusOr<Value> LoopState::Peek(RenderContext& context) {
  if (!has_peeked_) {
    ASSIGN_OR_RETURN(peeked_, Fetch(context));
    has_peeked_ = true;
  }
  return peeked_;
}

absl::StatusOr<Value> LoopState::Advance(RenderContext& context) {
  ASSIGN_OR_RETURN(const Value item, has_peeked_ ? absl::StatusOr<Value>(peeked_) : Fetch(context));
  has_peeked_ = false;
  if (item.missing()) return item;
  ++index0_;
  previous_ = current_;
  current_ = item;
  return item;
}

absl::StatusOr<int64_t> LoopState::CountItems(RenderContext& context) {
  if (length_ >= 0) return length_;
  if (filter_ == nullptr && Length(source_) >= 0) return length_ = Length(source_);
  // The rest is read now and iterated from memory afterwards.
  std::vector<Value> rest;
  if (has_peeked_ && !peeked_.missing()) rest.push_back(peeked_);
  const bool at_end = has_peeked_ && peeked_.missing();
  while (!at_end) {
    ASSIGN_OR_RETURN(const Value item, Fetch(context));
    if (item.missing()) break;
    rest.push_back(item);
  }
  Value* items = context.arena().AllocateArray<Value>(rest.size());
  std::copy(rest.begin(), rest.end(), items);
  has_peeked_ = false;
  ASSIGN_OR_RETURN(cursor_, Cursor::Over(Value::List({items, rest.size()})));
  filter_ = nullptr;
  return length_ = index0_ + 1 + static_cast<int64_t>(rest.size());
}

absl::StatusOr<Value> LoopState::Attribute(RenderContext& context, std::string_view name) {
  if (name == "index0") return Value::Int(index0_);
  if (name == "index") return Value::Int(index0_ + 1);
  if (name == "first") return Value::Bool(index0_ == 0);
  if (name == "last") {
    ASSIGN_OR_RETURN(const Value next, Peek(context));
    return Value::Bool(next.missing());
  }
  if (name == "previtem") {
    if (index0_ == 0) return MakeUndefinedHint(context, "there is no previous item");
    return previous_;
  }
  if (name == "nextitem") {
    ASSIGN_OR_RETURN(const Value next, Peek(context));
    return next.missing() ? MakeUndefinedHint(context, "there is no next item") : next;
  }
  if (name == "length" || name == "revindex" || name == "revindex0") {
    ASSIGN_OR_RETURN(const int64_t length, CountItems(context));
    if (name == "length") return Value::Int(length);
    return Value::Int(length - index0_ - (name == "revindex0" ? 1 : 0));
  }
  if (name == "depth0") return Value::Int(depth0);
  if (name == "depth") return Value::Int(depth0 + 1);
  if (name == "cycle") {
    return Value::Of(context.arena().New<Function>(Function{"cycle", &CallCycle, this}));
  }
  if (name == "changed") {
    return Value::Of(context.arena().New<Function>(Function{"changed", &CallChanged, this}));
  }
  return Value();
}

absl::StatusOr<Value> LoopState::Cycle(const Arguments& arguments) const {
  if (arguments.positional.empty()) return TypeError({"no items for cycling given"});
  return arguments.positional[static_cast<size_t>(index0_) % arguments.positional.size()];
}

absl::StatusOr<Value> LoopState::Changed(RenderContext& context, const Arguments& arguments) {
  const size_t count = arguments.positional.size();
  Value* items = context.arena().AllocateArray<Value>(count);
  std::copy(arguments.positional.begin(), arguments.positional.end(), items);
  const Value now = Value::Tuple({items, count});
  const bool changed = last_changed_.missing() || !Equal(context, last_changed_, now);
  last_changed_ = now;
  return Value::Bool(changed);
}

}  // namespace baton::frontend::internal
