#include "worker/ops/panel_columns.h"

namespace baton::worker {

PanelColumn PanelColumnOf(absl::Span<const LinearPart> parts, LinearKind kind, int64_t column) {
  constexpr int64_t kPanel = PackedLinear::kPanelCols;
  if (kind != LinearKind::kPlain) {
    const int64_t half = kPanel / 2;
    const int64_t output = column / kPanel * half + column % half;
    if (output >= parts[0].rows) return {};
    return {column % kPanel < half ? 0 : 1, output};
  }
  for (int part = 0; part < static_cast<int>(parts.size()); ++part) {
    const int64_t rows = parts[static_cast<size_t>(part)].rows;
    if (column < rows) return {part, column};
    column -= rows;
  }
  return {};
}

const std::byte* RowOf(const LinearPart& part, int64_t output) {
  const int64_t row = part.row_order.empty() ? output : part.row_order[static_cast<size_t>(output)];
  return part.data + static_cast<size_t>(row) * part.row_bytes;
}

}  // namespace baton::worker
