// Packed weights that stay quantised: what PackedLinear holds instead of floats if asked to.
//
// A panel has 64 columns, as in the dense form, and its own number of bits. Inputs come in groups
// of 32; a group of a panel is, one behind the other,
//
//   scales  f16 [64], or [2][64] where a scale serves 16 inputs
//   least   f16 [64], in forms that have it
//   planes  bits 4 (and 5) of the codes of 5- and 6-bit forms: [plane][8][64][4] bits
//   codes   u8 [8][64][4] of 8-bit forms; otherwise nibbles [4][64][4], where byte [p] holds input
//           quad 2p in its lower half and 2p + 1 in its upper half
//
// and a weight is scale (code - zero), scale code + least, or scale (table[code] - zero). Every
// instruction set reads the same bytes. Scales of the K formats, products of two numbers in the
// file, are rounded to f16: by 2^-12 of themselves, a hundredth of a quantisation step.
//
// Threading: immutable after Pack.
// Ownership: owns its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/device/buffer.h"
#include "worker/device/compute_threads.h"
#include "worker/ops/cpu/kernel_table.h"
#include "worker/ops/packed_linear.h"

namespace baton::worker {

class QuantizedPanels {
 public:
  static constexpr int64_t kGroup = 32;

  // REQUIRES: parts that PackedLinear has checked. Empty if some part is not to be quantised, or
  // its formats and scales do not fit a form: the caller packs floats then.
  static absl::StatusOr<std::optional<QuantizedPanels>> Pack(absl::Span<const LinearPart> parts,
                                                             LinearKind kind,
                                                             Quantization quantization,
                                                             ComputeThreads& threads);

  int64_t group_count() const { return group_count_; }
  const cpu::QuantPanel* panels() const { return panels_.data(); }
  size_t size_bytes() const { return bytes_.size_bytes(); }

  // The weights of a packed column, as floats: `inputs` of them.
  void Column(int64_t column, int64_t inputs, float* out) const;

 private:
  int64_t group_count_ = 0;
  std::vector<cpu::QuantPanel> panels_;  // point into bytes_
  Buffer bytes_;
};

}  // namespace baton::worker
