#include "worker/model/attention_layer.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "worker/ops/linear.h"
#include "worker/ops/rms_norm.h"
#include "worker/ops/rope_append.h"
#include "worker/ops/split_rms_norm.h"

namespace baton::worker {

using Slot = WeightSlot;

absl::StatusOr<AttentionWeights> PackAttention(WeightPacker& packer, int32_t layer) {
  AttentionWeights weights;
  ASSIGN_OR_RETURN(weights.qkv, packer.Pack({{Slot::kQuery, Slot::kQueryBias},
                                             {Slot::kKey, Slot::kKeyBias},
                                             {Slot::kValue, Slot::kValueBias}},
                                            LinearKind::kPlain, layer));
  ASSIGN_OR_RETURN(weights.q_norm, packer.VectorIfAny(Slot::kQueryNorm, layer));
  ASSIGN_OR_RETURN(weights.k_norm, packer.VectorIfAny(Slot::kKeyNorm, layer));
  ASSIGN_OR_RETURN(weights.sinks, packer.VectorIfAny(Slot::kSinks, layer));
  ASSIGN_OR_RETURN(weights.out, packer.Pack({{Slot::kAttentionOut, Slot::kAttentionOutBias}},
                                            LinearKind::kPlain, layer));
  return weights;
}

AttentionLayer::AttentionLayer(const DecoderSpec& spec, const KvPlacement& placement, Shard shard,
                               DType compute, std::vector<std::vector<float>> frequencies)
    : spec_(spec),
      placement_(placement),
      shard_(shard),
      compute_(compute),
      frequencies_(std::move(frequencies)),
      plans_(placement.windows.size()),
      cos_sin_(frequencies_.size()),
      cos_sin_memory_(frequencies_.size()) {}

absl::Status AttentionLayer::Prepare(const DecoderBatch& batch, const KvLayout& layout,
                                     int thread_count) {
  const auto rows = static_cast<int64_t>(batch.tokens.size());
  const int64_t q_size = spec_.q_size() / shard_.size;
  const int64_t kv_size = shard_.KvHeadsOf(spec_.kv_head_count).count * spec_.head_dim;
  ASSIGN_OR_RETURN(qkv_, qkv_memory_.Take(DType::kF32, rows, q_size + 2 * kv_size));
  if (spec_.qk_norm == QkNorm::kWholeProjection && !shard_.whole()) {
    ASSIGN_OR_RETURN(square_sums_, square_sums_memory_.Take(DType::kF32, 2 * rows, 1));
  }
  ASSIGN_OR_RETURN(q_, q_memory_.Take(compute_, rows, q_size));
  ASSIGN_OR_RETURN(attended_, attended_memory_.Take(compute_, rows, q_size));
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    const auto turning = static_cast<int64_t>(2 * frequencies_[i].size());
    ASSIGN_OR_RETURN(cos_sin_[i], cos_sin_memory_[i].Take(DType::kF32, rows, turning));
  }
  for (size_t table = 0; table < plans_.size(); ++table) {
    plans_[table].Build(batch.tables[table].runs, spec_.head_count / shard_.size, layout,
                        thread_count, placement_.windows[table]);
  }
  return absl::OkStatus();
}

void AttentionLayer::Turn(const DecoderBatch& batch, const ComputeSlice& slice) {
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    RopeAngles({.frequencies = frequencies_[i],
                .positions = batch.positions,
                .amplitude = static_cast<float>(spec_.ropes[i].amplitude),
                .cos_sin = cos_sin_[i]},
               slice);
  }
}

void AttentionLayer::Project(const ConstMatrix& x, int32_t layer, const AttentionWeights& weights,
                             const ActivationTap& tap, const ComputeSlice& slice) {
  Linear({.x = x, .weights = &weights.qkv, .out = qkv_}, slice);
  slice.Sync();
  Show(tap, layer, "qkv", qkv_, slice);
  if (square_sums_.empty()) return;
  const int64_t rows = qkv_.rows();
  worker::SquareSums({.x = Queries(), .out = square_sums_.Rows(0, rows)}, slice);
  worker::SquareSums({.x = Keys(), .out = square_sums_.Rows(rows, rows)}, slice);
  slice.Sync();
}

absl::Span<float> AttentionLayer::SquareSums() {
  if (square_sums_.empty()) return {};
  return {square_sums_.row<float>(0), static_cast<size_t>(square_sums_.rows())};
}

// Norms over all heads at once.
void AttentionLayer::NormProjections(const AttentionWeights& weights, const ComputeSlice& slice) {
  const auto epsilon = static_cast<float>(spec_.norm_epsilon);
  const Matrix q = Queries();
  const Matrix k = Keys();
  if (square_sums_.empty()) {
    RmsNorm({.x = q, .weight = weights.q_norm, .epsilon = epsilon, .out = q}, slice);
    RmsNorm({.x = k, .weight = weights.k_norm, .epsilon = epsilon, .out = k}, slice);
  } else {
    const int64_t rows = qkv_.rows();
    NormBySquareSums({.x = q,
                      .weight = weights.q_norm,
                      .sums = square_sums_.Rows(0, rows),
                      .whole_size = spec_.q_size(),
                      .epsilon = epsilon},
                     slice);
    NormBySquareSums({.x = k,
                      .weight = weights.k_norm,
                      .sums = square_sums_.Rows(rows, rows),
                      // Heads that ranks share were summed as often.
                      .whole_size = k.cols() * shard_.size,
                      .epsilon = epsilon},
                     slice);
  }
  slice.Sync();
}

void AttentionLayer::Run(const SublayerIo& io, const DecoderBatch& batch, int32_t layer,
                         const AttentionWeights& weights, const KvLayerView& cache,
                         const ActivationTap& tap, const ComputeSlice& slice) {
  const LayerSpec& spec = spec_.layers[static_cast<size_t>(layer)];
  const auto table = static_cast<size_t>(placement_.layers[static_cast<size_t>(layer)].table);
  const bool per_head = spec_.qk_norm == QkNorm::kPerHead;
  if (spec_.qk_norm == QkNorm::kWholeProjection) NormProjections(weights, slice);
  const bool turns = spec.rope != kNoRope;
  RopeAppend(
      {.qkv = qkv_,
       .cos_sin = turns ? ConstMatrix(cos_sin_[static_cast<size_t>(spec.rope)]) : ConstMatrix(),
       .slots = batch.tables[table].slots,
       .q = q_,
       .kv = cache,
       .q_norm = per_head ? absl::MakeConstSpan(weights.q_norm) : absl::Span<const float>(),
       .k_norm = per_head ? absl::MakeConstSpan(weights.k_norm) : absl::Span<const float>(),
       .norm_epsilon = static_cast<float>(spec_.norm_epsilon)},
      slice);
  slice.Sync();
  Attention({.q = q_,
             .kv = cache,
             .plan = &plans_[table],
             .scale = static_cast<float>(spec_.attention_scale),
             .soft_cap = static_cast<float>(spec_.attention_soft_cap),
             .sinks = weights.sinks,
             .out = attended_},
            slice);
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
