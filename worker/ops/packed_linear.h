#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/device/buffer.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/dtype.h"
#include "worker/tensor/weight_format.h"

namespace baton::worker {

// A matrix of a checkpoint, [rows = outputs, cols = inputs], or the part of it that is wanted.
struct LinearPart {
  WeightFormat format = WeightFormat::kF32;
  const std::byte* data = nullptr;  // row 0; no alignment needed
  size_t row_bytes = 0;             // from one row to the next
  int64_t rows = 0;                 // outputs of this part
  int64_t cols = 0;                 // inputs taken: [col_begin, col_begin + cols) of each row
  int64_t col_begin = 0;            // multiple of the format's block, for shards along the inputs
  // Empty, or for each output the row it comes from: permutations and shards along the outputs.
  absl::Span<const int32_t> row_order = {};
  // Empty, or one number for each output (after row_order).
  absl::Span<const float> bias = {};
};

enum class LinearKind {
  kPlain,  // parts one below the other: q, k, v
  // Two parts of equal size, gate and up. The layer gives act(gate x) * (up x), and has as many
  // outputs as one part.
  kGated,
};

// Which weights stay small integers with scales, instead of floats.
enum class Quantization : uint8_t {
  kNone,          // floats, whatever the checkpoint holds
  kAsCheckpoint,  // those that the checkpoint holds quantised
  kInt8,          // all, 8 bits at most, in groups of 32
  kInt4,          // all, 4 bits at most, in groups of 32
};

class QuantizedPanels;

// The weights of a linear layer, in the one form that the kernels read. Opaque: models and loaders
// see sizes only.
//
//   LinearPart q{.format = kQ8_0, .data = ..., .row_bytes = ..., .rows = 576, .cols = 576};
//   ASSIGN_OR_RETURN(PackedLinear qkv,
//                    PackedLinear::Pack({q, k, v}, LinearKind::kPlain, DType::kBf16, threads));
//
// Form: panels of 64 outputs, bf16 [N/64][K/2][64][2] or f32 [N/64][K][64], the last panel filled
// up with zeros. It is oneDNN's packing for bf16 matmul, and the same for every instruction set.
// A gated layer's panel holds 32 outputs of gate, then the same 32 of up. Quantised weights have
// the same panels, in the form of quantized_panels.h.
//
// Threading: immutable after Pack.
// Ownership: owns its copy; the parts' bytes are not needed after Pack.
// Errors:    INVALID_ARGUMENT for parts that do not fit together, an odd number of inputs in bf16,
//            columns that cut a block; RESOURCE_EXHAUSTED without memory.
class PackedLinear {
 public:
  static constexpr int64_t kPanelCols = 64;

  // `compute` is kBf16 or kF32: the type of weights and inputs; sums are f32 in both. Quantised
  // weights take the same inputs and round them to 8 bits themselves.
  static absl::StatusOr<PackedLinear> Pack(absl::Span<const LinearPart> parts, LinearKind kind,
                                           DType compute, ComputeThreads& threads,
                                           Quantization quantization = Quantization::kNone);

  PackedLinear();
  PackedLinear(PackedLinear&&) noexcept;
  PackedLinear& operator=(PackedLinear&&) noexcept;
  ~PackedLinear();

  int64_t inputs() const { return inputs_; }    // K: columns of x
  int64_t outputs() const { return outputs_; }  // columns of the result
  DType dtype() const { return dtype_; }        // of weights and of x
  LinearKind kind() const { return kind_; }
  size_t size_bytes() const;

  // For kernels. Quantised weights, or nullptr; then the others are not set.
  const QuantizedPanels* quantized() const { return quantized_.get(); }
  int64_t panel_count() const { return panel_count_; }
  size_t panel_bytes() const { return static_cast<size_t>(inputs_ * kPanelCols) * SizeOf(dtype_); }
  const std::byte* weights() const { return weights_.data(); }
  // In the order of the packed columns, panel_count() * 64 numbers; nullptr without bias.
  const float* bias() const { return bias_.empty() ? nullptr : bias_.data(); }

 private:
  absl::Status PackFloats(absl::Span<const LinearPart> parts, ComputeThreads& threads);

  int64_t inputs_ = 0;
  int64_t outputs_ = 0;
  int64_t panel_count_ = 0;
  DType dtype_ = DType::kF32;
  LinearKind kind_ = LinearKind::kPlain;
  Buffer weights_;
  std::unique_ptr<const QuantizedPanels> quantized_;
  std::vector<float> bias_;
};

}  // namespace baton::worker
