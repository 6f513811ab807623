#include "worker/model/latent_layer.h"

#include <utility>

#include "common/base/status_macros.h"
#include "worker/ops/latent_append.h"
#include "worker/ops/latent_attention.h"
#include "worker/ops/rms_norm.h"
#include "worker/ops/rope.h"

namespace baton::worker {

using Slot = WeightSlot;

namespace {

// Of the norms of latents: transformers has it fixed, whatever rms_norm_eps says.
constexpr float kLatentNormEpsilon = 1e-6f;

}  // namespace

uint64_t LatentWeights::size_bytes() const {
  uint64_t bytes = down.size_bytes() + out.size_bytes();
  if (q_up.has_value()) bytes += q_up->size_bytes();
  for (const PackedLinear& head : key_up) bytes += head.size_bytes();
  for (const PackedLinear& head : value_up) bytes += head.size_bytes();
  return bytes;
}

absl::StatusOr<LatentWeights> PackLatent(WeightPacker& packer, int32_t layer) {
  LatentWeights weights;
  const bool latent_queries = packer.spec().latent.q_rank > 0;
  ASSIGN_OR_RETURN(weights.down, packer.Pack({latent_queries ? Slot::kQueryDown : Slot::kQuery,
                                              Slot::kLatentDown},
                                             LinearKind::kPlain, layer));
  if (latent_queries) {
    ASSIGN_OR_RETURN(weights.q_norm, packer.Vector(Slot::kQueryLatentNorm, layer));
    ASSIGN_OR_RETURN(weights.q_up, packer.Pack({Slot::kQueryUp}, LinearKind::kPlain, layer));
  }
  ASSIGN_OR_RETURN(weights.kv_norm, packer.Vector(Slot::kLatentNorm, layer));
  const Range heads = packer.shard().SliceOf(packer.spec().head_count);
  for (auto head = static_cast<int32_t>(heads.begin); head < heads.end(); ++head) {
    ASSIGN_OR_RETURN(PackedLinear key,
                     packer.Pack({Slot::kKeyUp}, LinearKind::kPlain, layer, head));
    weights.key_up.push_back(std::move(key));
    ASSIGN_OR_RETURN(PackedLinear value,
                     packer.Pack({Slot::kValueUp}, LinearKind::kPlain, layer, head));
    weights.value_up.push_back(std::move(value));
  }
  ASSIGN_OR_RETURN(weights.out, packer.Pack({Slot::kAttentionOut}, LinearKind::kPlain, layer));
  return weights;
}

LatentLayer::LatentLayer(const DecoderSpec& spec, Shard shard, DType compute,
                         std::vector<float> frequencies)
    : spec_(spec),
      compute_(compute),
      heads_(spec.head_count / shard.size),
      frequencies_(std::move(frequencies)) {}

absl::Status LatentLayer::Prepare(const DecoderBatch& batch, const KvLayout& layout,
                                  int thread_count) {
  const LatentSpec& s = spec_.latent;
  const auto rows = static_cast<int64_t>(batch.tokens.size());
  const int64_t query_size = int64_t{heads_} * (s.plain_dim + s.rotary_dim);
  const int64_t down_size = (s.q_rank > 0 ? s.q_rank : query_size) + s.kv_rank + s.rotary_dim;
  ASSIGN_OR_RETURN(cos_sin_, cos_sin_memory_.Take(DType::kF32, rows, s.rotary_dim));
  ASSIGN_OR_RETURN(down_, down_memory_.Take(DType::kF32, rows, down_size));
  if (s.q_rank > 0) {
    ASSIGN_OR_RETURN(q_latent_, q_latent_memory_.Take(compute_, rows, s.q_rank));
    ASSIGN_OR_RETURN(queries_, queries_memory_.Take(DType::kF32, rows, query_size));
  }
  ASSIGN_OR_RETURN(plain_, plain_memory_.Take(compute_, rows, int64_t{heads_} * s.plain_dim));
  ASSIGN_OR_RETURN(q_,
                   q_memory_.Take(DType::kF32, rows, int64_t{heads_} * (s.kv_rank + s.rotary_dim)));
  ASSIGN_OR_RETURN(mixed_, mixed_memory_.Take(compute_, rows, int64_t{heads_} * s.kv_rank));
  ASSIGN_OR_RETURN(attended_, attended_memory_.Take(compute_, rows, int64_t{heads_} * s.value_dim));
  BuildLatentPlan(batch.tables.front().runs, heads_, layout, thread_count, plan_);
  return absl::OkStatus();
}

void LatentLayer::Turn(const DecoderBatch& batch, const ComputeSlice& slice) {
  RopeAngles({.frequencies = frequencies_,
              .positions = batch.positions,
              .amplitude = static_cast<float>(spec_.ropes.front().amplitude),
              .cos_sin = cos_sin_},
             slice);
}

void LatentLayer::ListProducts(const LatentWeights& weights) {
  const LatentSpec& s = spec_.latent;
  key_products_.clear();
  value_products_.clear();
  for (int32_t head = 0; head < heads_; ++head) {
    const auto at = static_cast<size_t>(head);
    key_products_.push_back(
        {.x = plain_.Cols(int64_t{head} * s.plain_dim, s.plain_dim),
         .weights = &weights.key_up[at],
         .out = q_.Cols(int64_t{head} * (s.kv_rank + s.rotary_dim), s.kv_rank)});
    value_products_.push_back({.x = mixed_.Cols(int64_t{head} * s.kv_rank, s.kv_rank),
                               .weights = &weights.value_up[at],
                               .out = attended_.Cols(int64_t{head} * s.value_dim, s.value_dim)});
  }
}

ConstMatrix LatentLayer::MakeQueries(const LatentWeights& weights, const ComputeSlice& slice) {
  const LatentSpec& s = spec_.latent;
  if (!weights.q_up.has_value()) {
    return down_.Cols(0, down_.cols() - s.kv_rank - s.rotary_dim);
  }
  RmsNorm({.x = down_.Cols(0, s.q_rank),
           .weight = weights.q_norm,
           .epsilon = kLatentNormEpsilon,
           .out = q_latent_},
          slice);
  slice.Sync();
  Linear({.x = q_latent_, .weights = &*weights.q_up, .out = queries_}, slice);
  slice.Sync();
  return queries_;
}

void LatentLayer::Run(const SublayerIo& io, const DecoderBatch& batch, int32_t layer,
                      const LatentWeights& weights, const KvLayerView& cache,
                      const ActivationTap& tap, const ComputeSlice& slice) {
  const LatentSpec& s = spec_.latent;
  if (slice.index() == 0) ListProducts(weights);
  Linear({.x = io.x, .weights = &weights.down, .out = down_}, slice);
  slice.Sync();
  const ConstMatrix queries = MakeQueries(weights, slice);
  Show(tap, layer, "queries", queries, slice);
  const int64_t kv_size = s.kv_rank + s.rotary_dim;
  LatentAppend({.queries = queries,
                .latents = down_.Cols(down_.cols() - kv_size, kv_size),
                .cos_sin = cos_sin_,
                .norm_weight = weights.kv_norm,
                .norm_epsilon = kLatentNormEpsilon,
                .slots = batch.tables.front().slots,
                .heads = heads_,
                .plain = plain_,
                .q = q_,
                .kv = cache},
               slice);
  slice.Sync();
  LinearGroup(key_products_, slice);
  slice.Sync();
  LatentAttention({.q = q_,
                   .kv = cache,
                   .plan = &plan_,
                   .scale = static_cast<float>(spec_.attention_scale),
                   .out = mixed_},
                  slice);
  slice.Sync();
  LinearGroup(value_products_, slice);
  slice.Sync();
  Show(tap, layer, "attended", attended_, slice);
  Linear({.x = attended_,
          .weights = &weights.out,
          .out = io.out,
          .residual = io.residual,
          .scale = io.scale},
         slice);
  slice.Sync();
}

}  // namespace baton::worker
