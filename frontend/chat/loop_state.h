// The variable `loop` inside a for loop: position, neighbours, and how to go on.
//
// Items are fetched one by one and filtered on the way, so that a loop's condition sees what the
// body did before; `last`, `nextitem` and `length` read ahead, exactly as Jinja's loop does.
//
// Threading: owned by the render.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "frontend/chat/render_context.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

struct ForStatement;

// Decides whether an item passes the loop's `if`.
class LoopFilter {
 public:
  virtual absl::StatusOr<bool> Passes(const Value& item) = 0;

 protected:
  ~LoopFilter() = default;
};

class LoopState {
 public:
  // `filter` may be null. `statement` and `activation` are for recursive calls of the loop.
  LoopState(const Value& source, Cursor cursor, LoopFilter* filter, const ForStatement* statement,
            Activation* activation, int depth0)
      : statement(statement),
        activation(activation),
        depth0(depth0),
        source_(source),
        cursor_(cursor),
        filter_(filter) {}

  // Goes to the next item; returns kMissing at the end.
  absl::StatusOr<Value> Advance(RenderContext& context);
  // loop.name, or kMissing when a loop has no such attribute.
  absl::StatusOr<Value> Attribute(RenderContext& context, std::string_view name);

  // loop.cycle(...) and loop.changed(...).
  absl::StatusOr<Value> Cycle(const Arguments& arguments) const;
  absl::StatusOr<Value> Changed(RenderContext& context, const Arguments& arguments);

  const ForStatement* const statement;
  Activation* const activation;
  const int depth0;

 private:
  absl::StatusOr<Value> Fetch(RenderContext& context);
  absl::StatusOr<Value> Peek(RenderContext& context);
  absl::StatusOr<int64_t> CountItems(RenderContext& context);

  const Value source_;
  Cursor cursor_;
  LoopFilter* filter_;
  int64_t index0_ = -1;
  int64_t length_ = -1;
  Value previous_;
  Value current_;
  Value peeked_;
  bool has_peeked_ = false;
  Value last_changed_;
};

}  // namespace baton::frontend::internal
