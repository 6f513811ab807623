#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/device/compute_threads.h"
#include "worker/loader/tensor_source.h"
#include "worker/model/decoder_spec.h"
#include "worker/model/weight_plan.h"
#include "worker/ops/packed_linear.h"
#include "worker/parallel/shard.h"
#include "worker/tensor/dtype.h"

namespace baton::worker {

// The weights of one shard of a decoder, in the form that ops read.
//
// Threading: immutable after PackWeights. Ownership: owns everything.
struct LayerWeights {
  std::vector<float> attention_norm;
  PackedLinear qkv;
  PackedLinear attention_out;
  std::vector<float> mlp_norm;
  PackedLinear gate_up;
  PackedLinear down;
};

struct DecoderWeights {
  PackedLinear embedding;            // this shard's chunk of the vocabulary
  std::optional<PackedLinear> head;  // empty: tied
  std::vector<float> final_norm;
  std::vector<float> rope_factors;  // empty: ones
  std::vector<LayerWeights> layers;

  const PackedLinear& head_table() const { return head.has_value() ? *head : embedding; }
  uint64_t size_bytes() const;
};

struct PackOptions {
  const DecoderSpec* spec = nullptr;
  const WeightPlan* plan = nullptr;  // checked against `source`
  const TensorSource* source = nullptr;
  Shard shard;
  DType compute = DType::kF32;  // kF32 or kBf16
  // Called after each tensor with the bytes of the checkpoint packed so far, and all there are.
  std::function<void(uint64_t done_bytes, uint64_t total_bytes)> progress;
};

// INVALID_ARGUMENT if the spec cannot be cut into shard.size parts.
absl::Status CheckShard(const DecoderSpec& spec, const Shard& shard);

// Packs this shard's part of every weight of the plan, tensor by tensor, all threads on each.
// Errors: those of PackedLinear::Pack, with file and tensor before them.
absl::StatusOr<DecoderWeights> PackWeights(const PackOptions& options, ComputeThreads& threads);

}  // namespace baton::worker
