// A generator over items that exist already.
//
// Threading: owned by the render. Ownership: borrows the items.
#pragma once

#include "absl/types/span.h"
#include "frontend/chat/render_context.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

class SpanIterator final : public Iterator {
 public:
  explicit SpanIterator(absl::Span<const Value> items) : items_(items) {}
  absl::StatusOr<Value> Next(RenderContext&) override {
    return position_ < items_.size() ? items_[position_++] : Value();
  }

 private:
  const absl::Span<const Value> items_;
  size_t position_ = 0;
};

inline Value MakeSpanIterator(RenderContext& context, absl::Span<const Value> items) {
  return Value::Of(static_cast<Iterator*>(context.arena().New<SpanIterator>(items)));
}

}  // namespace baton::frontend::internal
