#include "worker/ops/packed_linear.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/ops/panel_columns.h"
#include "worker/ops/quantized_panels.h"
#include "worker/tensor/float_conversions.h"

namespace baton::worker {

namespace {

constexpr int64_t kPanel = PackedLinear::kPanelCols;
constexpr int64_t kChunk = 256;  // columns decoded at a time: a panel's worth fits the cache

absl::Status CheckPart(const LinearPart& part, int64_t inputs) {
  const WeightFormatInfo& format = InfoOf(part.format);
  const auto fault = [&](const char* what, int64_t got, int64_t expected) {
    return InvalidArgument(absl::StrCat("pack linear: format=", ToAbsl(format.name), " ", what, "=",
                                        got, "/", expected));
  };
  if (part.rows < 1) return fault("rows", part.rows, 1);
  if (part.cols != inputs) return fault("cols", part.cols, inputs);
  if (part.cols % format.block_elements != 0) {
    return fault("cols modulo block", part.cols % format.block_elements, 0);
  }
  if (part.col_begin < 0 || part.col_begin % format.block_elements != 0) {
    return fault("col_begin", part.col_begin,
                 part.col_begin / format.block_elements * format.block_elements);
  }
  const size_t row_bytes = RowBytes(part.format, part.col_begin + part.cols);
  if (part.row_bytes < row_bytes) {
    return fault("row_bytes", static_cast<int64_t>(part.row_bytes),
                 static_cast<int64_t>(row_bytes));
  }
  const auto rows = static_cast<size_t>(part.rows);
  if (!part.row_order.empty() && part.row_order.size() != rows) {
    return fault("row_order", static_cast<int64_t>(part.row_order.size()), part.rows);
  }
  if (!part.bias.empty() && part.bias.size() != rows) {
    return fault("bias", static_cast<int64_t>(part.bias.size()), part.rows);
  }
  return absl::OkStatus();
}

absl::Status CheckParts(absl::Span<const LinearPart> parts, LinearKind kind, DType compute) {
  if (parts.empty()) return InvalidArgument("pack linear: parts=0/1");
  if (compute != DType::kBf16 && compute != DType::kF32) {
    return InvalidArgument(
        absl::StrCat("pack linear: dtype=", ToAbsl(NameOf(compute)), "/bfloat16 or float32"));
  }
  const int64_t inputs = parts[0].cols;
  if (inputs < 1 || (compute == DType::kBf16 && inputs % 2 != 0)) {
    return InvalidArgument(absl::StrCat("pack linear: cols=", inputs, "/even and positive"));
  }
  for (const LinearPart& part : parts) RETURN_IF_ERROR(CheckPart(part, inputs));
  if (kind == LinearKind::kGated && (parts.size() != 2 || parts[0].rows != parts[1].rows)) {
    return InvalidArgument(
        absl::StrCat("pack linear: gated layer: parts=", parts.size(), "/2 of equal rows"));
  }
  return absl::OkStatus();
}

// rows[c][0 .. count) -> packed [k][column], in whole or in pairs.
void Interleave(const float* rows, int64_t count, float* to) {
  for (int64_t k = 0; k < count; ++k) {
    for (int64_t c = 0; c < kPanel; ++c) to[k * kPanel + c] = rows[c * kChunk + k];
  }
}

void Interleave(const float* rows, int64_t count, Bf16* to) {
  for (int64_t k = 0; k < count; k += 2) {
    for (int64_t c = 0; c < kPanel; ++c) {
      to[k * kPanel + 2 * c] = ToBf16(rows[c * kChunk + k]);
      to[k * kPanel + 2 * c + 1] = ToBf16(rows[c * kChunk + k + 1]);
    }
  }
}

template <typename Element>
void PackPanel(absl::Span<const LinearPart> parts, LinearKind kind, int64_t panel, float* scratch,
               Element* to) {
  const int64_t inputs = parts[0].cols;
  PanelColumn sources[kPanel];
  for (int64_t c = 0; c < kPanel; ++c) sources[c] = PanelColumnOf(parts, kind, panel * kPanel + c);
  for (int64_t begin = 0; begin < inputs; begin += kChunk) {
    const int64_t count = std::min(kChunk, inputs - begin);
    for (int64_t c = 0; c < kPanel; ++c) {
      float* row = scratch + c * kChunk;
      if (sources[c].part < 0) {
        std::fill_n(row, count, 0.0f);
        continue;
      }
      const LinearPart& part = parts[static_cast<size_t>(sources[c].part)];
      DecodeElements(part.format, RowOf(part, sources[c].output), part.col_begin + begin, count,
                     row);
    }
    Interleave(scratch, count, to + begin * kPanel);
  }
}

std::vector<float> PackBias(absl::Span<const LinearPart> parts, LinearKind kind, int64_t columns) {
  const bool any = std::any_of(parts.begin(), parts.end(),
                               [](const LinearPart& part) { return !part.bias.empty(); });
  std::vector<float> bias(any ? static_cast<size_t>(columns) : 0);
  for (size_t column = 0; column < bias.size(); ++column) {
    const PanelColumn source = PanelColumnOf(parts, kind, static_cast<int64_t>(column));
    if (source.part < 0) continue;
    const LinearPart& part = parts[static_cast<size_t>(source.part)];
    if (!part.bias.empty()) bias[column] = part.bias[static_cast<size_t>(source.output)];
  }
  return bias;
}

}  // namespace

PackedLinear::PackedLinear() = default;
PackedLinear::PackedLinear(PackedLinear&&) noexcept = default;
PackedLinear& PackedLinear::operator=(PackedLinear&&) noexcept = default;
PackedLinear::~PackedLinear() = default;

size_t PackedLinear::size_bytes() const {
  return quantized_ != nullptr ? quantized_->size_bytes() : weights_.size_bytes();
}

absl::StatusOr<PackedLinear> PackedLinear::Pack(absl::Span<const LinearPart> parts, LinearKind kind,
                                                DType compute, ComputeThreads& threads,
                                                Quantization quantization) {
  RETURN_IF_ERROR(CheckParts(parts, kind, compute));
  int64_t outputs = 0;
  for (const LinearPart& part : parts) outputs += part.rows;
  if (kind == LinearKind::kGated) outputs = parts[0].rows;
  const int64_t outputs_per_panel = kind == LinearKind::kGated ? kPanel / 2 : kPanel;

  PackedLinear packed;
  packed.inputs_ = parts[0].cols;
  packed.outputs_ = outputs;
  packed.panel_count_ = (outputs + outputs_per_panel - 1) / outputs_per_panel;
  packed.dtype_ = compute;
  packed.kind_ = kind;
  packed.bias_ = PackBias(parts, kind, packed.panel_count_ * kPanel);
  if (quantization != Quantization::kNone) {
    ASSIGN_OR_RETURN(std::optional<QuantizedPanels> panels,
                     QuantizedPanels::Pack(parts, kind, quantization, threads));
    if (panels.has_value()) {
      packed.quantized_ = std::make_unique<QuantizedPanels>(*std::move(panels));
      return packed;
    }
  }
  RETURN_IF_ERROR(packed.PackFloats(parts, threads));
  return packed;
}

absl::Status PackedLinear::PackFloats(absl::Span<const LinearPart> parts, ComputeThreads& threads) {
  ASSIGN_OR_RETURN(weights_, Buffer::Allocate(panel_bytes() * static_cast<size_t>(panel_count_)));
  threads.Run([&](const ComputeSlice& slice) {
    std::vector<float> scratch(static_cast<size_t>(kPanel * kChunk));
    const ComputeSlice::Range share = slice.Share(panel_count_);
    for (int64_t panel = share.begin; panel < share.end; ++panel) {
      std::byte* to = weights_.data() + static_cast<size_t>(panel) * panel_bytes();
      if (dtype_ == DType::kBf16) {
        PackPanel(parts, kind_, panel, scratch.data(), reinterpret_cast<Bf16*>(to));
      } else {
        PackPanel(parts, kind_, panel, scratch.data(), reinterpret_cast<float*>(to));
      }
    }
  });
  return absl::OkStatus();
}

}  // namespace baton::worker
