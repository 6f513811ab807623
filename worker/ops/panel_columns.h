// Where the columns of packed panels come from: which output of which part of a linear layer.
//
//   const PanelColumn source = PanelColumnOf(parts, kind, panel * 64 + c);
//
// Threading: pure functions.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "worker/ops/packed_linear.h"

namespace baton::worker {

// One packed column; part -1 is fill.
struct PanelColumn {
  int part = -1;
  int64_t output = 0;
};

PanelColumn PanelColumnOf(absl::Span<const LinearPart> parts, LinearKind kind, int64_t column);

// The source row of an output of a part.
const std::byte* RowOf(const LinearPart& part, int64_t output);

}  // namespace baton::worker
