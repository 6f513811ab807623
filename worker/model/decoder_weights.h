#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/attention_layer.h"
#include "worker/model/latent_layer.h"
#include "worker/model/mlp_layer.h"
#include "worker/model/moe_layer.h"
#include "worker/model/weight_packer.h"
#include "worker/ops/packed_linear.h"
#include "worker/parallel/shard.h"

namespace baton::worker {

// The weights of one shard of a decoder, in the form that ops read.
//
// Threading: immutable after PackWeights. Ownership: owns everything.
struct LayerWeights {
  // Empty where the placement has no norm.
  std::vector<float> attention_norm;
  std::vector<float> attention_post_norm;
  std::vector<float> mlp_norm;
  std::vector<float> mlp_post_norm;
  // One of each two, by the layer's kinds.
  AttentionWeights attention;
  LatentWeights latent;
  MlpWeights mlp;
  MoeWeights moe;

  uint64_t size_bytes() const {
    return attention.size_bytes() + latent.size_bytes() + mlp.size_bytes() + moe.size_bytes();
  }
};

struct DecoderWeights {
  PackedLinear embedding;            // this shard's chunk of the vocabulary
  std::optional<PackedLinear> head;  // empty: tied
  std::vector<float> final_norm;
  // GGUF's rope scaling. Empty: none.
  std::vector<float> rope_factors;
  std::vector<float> rope_short_factors;
  std::vector<float> rope_long_factors;
  std::vector<LayerWeights> layers;

  const PackedLinear& head_table() const { return head.has_value() ? *head : embedding; }
  uint64_t size_bytes() const;
};

// INVALID_ARGUMENT if the spec cannot be cut into shard.size parts.
absl::Status CheckShard(const DecoderSpec& spec, const Shard& shard);

// Packs this shard's part of every weight of the plan, tensor by tensor, all threads on each.
// Errors: those of WeightPacker.
absl::StatusOr<DecoderWeights> PackWeights(const PackOptions& options, ComputeThreads& threads);

}  // namespace baton::worker
