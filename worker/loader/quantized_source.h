// Checkpoints whose quantised weights take several tensors each (codes, scales, zero points), seen
// as one tensor a weight, so that nobody behind the loader knows of them:
//
//   compressed-tensors  pack-quantized (4 and 8 bits, groups, channels, activation order),
//                       int-quantized, float-quantized and naive-quantized (8 bits; blocks too)
//   gptq                4 and 8 bits, also mixed, g_idx; v1, whose zero points are stored less one,
//                       and v2
//   awq                 4 bits, "gemm" packing
//   auto-round          packed as one of those two
//   fp8, fbgemm_fp8     E4M3 with scales for the tensor, for rows, or for blocks (weight_scale_inv)
//   modelopt            FP8: the same
//
//   ASSIGN_OR_RETURN(source, UnpackQuantized(std::move(source), config));
//
// Values are exact: x = scale (q - zero) in f32. What lies in groups of 32 with one scale stays in
// integers (WeightFormat::kGroupedI4 ...), so that packed weights can; the rest, activation order
// above all, becomes f32 here. Scales of activations are not needed and left out.
//
// Threading: the source that comes back is immutable.
// Ownership: it owns the other and the bytes it made.
// Errors:    UNIMPLEMENTED naming key and value of a configuration that we do not know;
//            INVALID_ARGUMENT naming file and tensor for tensors that do not fit together.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "worker/loader/bounded_json.h"
#include "worker/loader/tensor_source.h"

namespace baton::worker {

// True for the values of quantization_config.quant_method that UnpackQuantized takes care of.
bool IsUnpackedMethod(std::string_view quant_method);

// The source itself if the configuration names no such method.
absl::StatusOr<std::unique_ptr<const TensorSource>> UnpackQuantized(
    std::unique_ptr<const TensorSource> source, const JsonConfig& config);

}  // namespace baton::worker
