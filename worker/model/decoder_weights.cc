#include "worker/model/decoder_weights.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::worker {
namespace {

using Slot = WeightSlot;

absl::StatusOr<std::vector<float>> RopeFactors(WeightPacker& packer, Slot slot) {
  ASSIGN_OR_RETURN(std::vector<float> factors, packer.VectorIfAny(slot));
  for (const float factor : factors) {
    if (std::isfinite(factor) && factor > 0) continue;
    return InvalidArgument(
        absl::StrCat(packer.Describe(slot), " holds ", factor, "/finite and above 0"));
  }
  return factors;
}

absl::Status PackLayer(WeightPacker& packer, int32_t layer, LayerWeights& weights) {
  ASSIGN_OR_RETURN(weights.attention_norm, packer.VectorIfAny(Slot::kAttentionNorm, layer));
  ASSIGN_OR_RETURN(weights.attention_post_norm,
                   packer.VectorIfAny(Slot::kAttentionPostNorm, layer));
  ASSIGN_OR_RETURN(weights.mlp_norm, packer.VectorIfAny(Slot::kMlpNorm, layer));
  ASSIGN_OR_RETURN(weights.mlp_post_norm, packer.VectorIfAny(Slot::kMlpPostNorm, layer));
  switch (packer.spec().attention) {
    case AttentionKind::kGrouped: {
      ASSIGN_OR_RETURN(weights.attention, PackAttention(packer, layer));
      break;
    }
    case AttentionKind::kLatent: {
      ASSIGN_OR_RETURN(weights.latent, PackLatent(packer, layer));
      break;
    }
  }
  switch (packer.spec().layers[static_cast<size_t>(layer)].feed_forward) {
    case FeedForwardKind::kDense: {
      ASSIGN_OR_RETURN(weights.mlp, PackMlp(packer, layer));
      break;
    }
    case FeedForwardKind::kExperts: {
      ASSIGN_OR_RETURN(weights.moe, PackMoe(packer, layer));
      break;
    }
  }
  return absl::OkStatus();
}

}  // namespace

uint64_t DecoderWeights::size_bytes() const {
  uint64_t bytes = embedding.size_bytes() + (head.has_value() ? head->size_bytes() : 0);
  for (const LayerWeights& layer : layers) bytes += layer.size_bytes();
  return bytes;
}

absl::Status CheckShard(const DecoderSpec& spec, const Shard& shard) {
  const auto refuse = [&](const char* what, int64_t count) {
    return InvalidArgument(absl::StrCat("shard model: ", what, "=", count, " cannot be cut into ",
                                        shard.size, " parts"));
  };
  const bool kv_heads_fit =
      spec.kv_head_count % shard.size == 0 || shard.size % spec.kv_head_count == 0;
  if (!kv_heads_fit) return refuse("kv heads", spec.kv_head_count);
  if (spec.head_count % shard.size != 0) return refuse("heads", spec.head_count);
  if (spec.intermediate_size % shard.size != 0) {
    return refuse("intermediate_size", spec.intermediate_size);
  }
  if (spec.moe.expert_size % shard.size != 0) return refuse("expert size", spec.moe.expert_size);
  if (spec.moe.shared_size % shard.size != 0) {
    return refuse("size of shared experts", spec.moe.shared_size);
  }
  const Shard last{shard.size - 1, shard.size};
  if (last.ChunkOf(spec.vocab_size).count < 1) return refuse("vocab_size", spec.vocab_size);
  return absl::OkStatus();
}

absl::StatusOr<DecoderWeights> PackWeights(const PackOptions& options, ComputeThreads& threads) {
  RETURN_IF_ERROR(CheckShard(*options.spec, options.shard));
  WeightPacker packer(options, threads);
  DecoderWeights weights;
  ASSIGN_OR_RETURN(weights.embedding, packer.Pack({Slot::kEmbedding}, LinearKind::kPlain));
  ASSIGN_OR_RETURN(weights.final_norm, packer.Vector(Slot::kFinalNorm));
  ASSIGN_OR_RETURN(weights.rope_factors, RopeFactors(packer, Slot::kRopeFactors));
  ASSIGN_OR_RETURN(weights.rope_short_factors, RopeFactors(packer, Slot::kRopeShortFactors));
  ASSIGN_OR_RETURN(weights.rope_long_factors, RopeFactors(packer, Slot::kRopeLongFactors));
  for (int32_t layer = 0; layer < options.spec->layer_count; ++layer) {
    RETURN_IF_ERROR(PackLayer(packer, layer, weights.layers.emplace_back()));
  }
  if (!options.spec->tied_embeddings) {
    ASSIGN_OR_RETURN(weights.head, packer.Pack({Slot::kHead}, LinearKind::kPlain));
  }
  return weights;
}

}  // namespace baton::worker
