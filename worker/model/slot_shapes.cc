#include "worker/model/slot_shapes.h"

#include "common/base/check.h"

namespace baton::worker {
namespace {

using Slot = WeightSlot;

SlotShape QkNormShape(const DecoderSpec& s, int64_t projection_size, ShardAxis axis) {
  if (s.qk_norm == QkNorm::kWholeProjection) return {{projection_size}, axis};
  return {{s.head_dim}, ShardAxis::kNone, s.qk_norm == QkNorm::kPerHead};
}

SlotShape AttentionShape(Slot slot, const DecoderSpec& s) {
  const int64_t hidden = s.hidden_size;
  const bool latent = s.attention == AttentionKind::kLatent;
  switch (slot) {
    case Slot::kQueryNorm:
      return QkNormShape(s, s.q_size(), ShardAxis::kOutputs);
    case Slot::kKeyNorm:
      return QkNormShape(s, s.kv_size(), ShardAxis::kKvHeads);
    case Slot::kSinks:
      return {{s.head_count}, ShardAxis::kOutputs, s.attention_sinks};
    case Slot::kQuery:
      return {{s.q_size(), hidden}, ShardAxis::kOutputs, !latent || s.latent.q_rank == 0};
    case Slot::kKey:
    case Slot::kValue:
      return {{s.kv_size(), hidden}, ShardAxis::kKvHeads, !latent};
    case Slot::kQueryBias:
      return {{s.q_size()}, ShardAxis::kOutputs, s.qkv_bias};
    case Slot::kKeyBias:
    case Slot::kValueBias:
      return {{s.kv_size()}, ShardAxis::kKvHeads, s.qkv_bias};
    case Slot::kAttentionOut:
      return {{hidden, latent ? int64_t{s.head_count} * s.latent.value_dim : s.q_size()},
              ShardAxis::kInputs};
    case Slot::kAttentionOutBias:
      return {{hidden}, ShardAxis::kNone, s.attention_out_bias};
    default:
      return {};
  }
}

SlotShape LatentShape(Slot slot, const DecoderSpec& s) {
  const LatentSpec& latent = s.latent;
  const bool queries = latent.q_rank > 0;
  switch (slot) {
    case Slot::kQueryDown:
      return {{latent.q_rank, s.hidden_size}, ShardAxis::kNone, queries};
    case Slot::kQueryLatentNorm:
      return {{latent.q_rank}, ShardAxis::kNone, queries};
    case Slot::kQueryUp:
      return {{s.q_size(), latent.q_rank}, ShardAxis::kOutputs, queries};
    case Slot::kLatentDown:
      return {{latent.kv_rank + latent.rotary_dim, s.hidden_size}};
    case Slot::kLatentNorm:
      return {{latent.kv_rank}};
    // Of one head each: a shard takes whole heads.
    case Slot::kKeyUp:
      return {{latent.kv_rank, latent.plain_dim}};
    case Slot::kValueUp:
      return {{latent.value_dim, latent.kv_rank}};
    default:
      return {};
  }
}

SlotShape DenseShape(Slot slot, const DecoderSpec& s) {
  const int64_t hidden = s.hidden_size;
  const int64_t inner = s.intermediate_size;
  switch (slot) {
    case Slot::kGate:
    case Slot::kUp:
      return {{inner, hidden}, ShardAxis::kOutputs};
    case Slot::kGateBias:
    case Slot::kUpBias:
      return {{inner}, ShardAxis::kOutputs, s.mlp_bias};
    case Slot::kDown:
      return {{hidden, inner}, ShardAxis::kInputs};
    case Slot::kDownBias:
      return {{hidden}, ShardAxis::kNone, s.mlp_bias};
    default:
      return {};
  }
}

SlotShape ExpertShape(Slot slot, const DecoderSpec& s) {
  const MoeSpec& moe = s.moe;
  const int64_t hidden = s.hidden_size;
  const bool shared = moe.shared_size > 0;
  switch (slot) {
    case Slot::kRouter:
      return {{moe.routing.expert_count, hidden}};
    case Slot::kRouterBias:
      return {{moe.routing.expert_count}, ShardAxis::kNone, moe.router_bias};
    case Slot::kRouterCorrection:
      return {{moe.routing.expert_count}, ShardAxis::kNone, moe.correction};
    case Slot::kExpertGate:
    case Slot::kExpertUp:
      return {{moe.expert_size, hidden}, ShardAxis::kOutputs};
    case Slot::kExpertDown:
      return {{hidden, moe.expert_size}, ShardAxis::kInputs};
    case Slot::kExpertGateBias:
    case Slot::kExpertUpBias:
      return {{moe.expert_size}, ShardAxis::kOutputs, moe.expert_bias};
    case Slot::kExpertDownBias:
      return {{hidden}, ShardAxis::kNone, moe.expert_bias};
    case Slot::kSharedGate:
    case Slot::kSharedUp:
      return {{moe.shared_size, hidden}, ShardAxis::kOutputs, shared};
    case Slot::kSharedDown:
      return {{hidden, moe.shared_size}, ShardAxis::kInputs, shared};
    default:
      return {};
  }
}

bool IsHeadSlot(Slot slot) { return slot == Slot::kKeyUp || slot == Slot::kValueUp; }
bool IsExpertSlot(Slot slot) { return slot >= Slot::kExpertGate && slot <= Slot::kExpertDownBias; }

// Rows of the tensor, or of an item of it, that holds `slot` and its fellows, and those above it.
struct FusedRows {
  int64_t total = 0;
  int64_t above = 0;
};

FusedRows FusedRowsOf(Slot slot, const DecoderSpec& s) {
  const int64_t q = s.q_size();
  const int64_t kv = s.kv_size();
  switch (slot) {
    case Slot::kQuery:
    case Slot::kQueryBias:
      return {q + 2 * kv, 0};
    case Slot::kKey:
    case Slot::kKeyBias:
      return {q + 2 * kv, q};
    case Slot::kValue:
    case Slot::kValueBias:
      return {q + 2 * kv, q + kv};
    case Slot::kGate:
    case Slot::kGateBias:
      return {2 * s.intermediate_size, 0};
    case Slot::kUp:
    case Slot::kUpBias:
      return {2 * s.intermediate_size, s.intermediate_size};
    case Slot::kExpertGate:
    case Slot::kExpertGateBias:
      return {2 * s.moe.expert_size, 0};
    case Slot::kExpertUp:
    case Slot::kExpertUpBias:
      return {2 * s.moe.expert_size, s.moe.expert_size};
    case Slot::kKeyUp:
      return {s.latent.plain_dim + s.latent.value_dim, 0};
    case Slot::kValueUp:
      return {s.latent.plain_dim + s.latent.value_dim, s.latent.plain_dim};
    default:
      BATON_CHECK(false) << "weight plan: slot=" << static_cast<int>(slot) << " is never fused";
      return {};
  }
}

// Of the tensor that has `rows` rows for each item, or columns.
Shape StackShape(const WeightRow& row, int64_t rows) {
  if (row.shape.rank() == 1) return {row.item_count, rows};
  const int64_t cols = row.shape.dim(1);
  switch (row.stacking) {
    case Stacking::kColumns:
      return {row.item_count, cols, rows};
    case Stacking::kMxfp4:
      return {row.item_count, rows, cols / 32, 16};
    default:
      return {row.item_count, rows, cols};
  }
}

}  // namespace

SlotShape ShapeOf(WeightSlot slot, const DecoderSpec& s, int32_t layer) {
  const int64_t hidden = s.hidden_size;
  switch (slot) {
    case Slot::kEmbedding:
      return {{s.vocab_size, hidden}, ShardAxis::kVocabulary};
    case Slot::kHead:
      // A tied model may bring the copy; it is the embedding that counts.
      return {{s.vocab_size, hidden}, ShardAxis::kVocabulary, true, !s.tied_embeddings};
    case Slot::kRopeFactors:
    case Slot::kRopeShortFactors:
    case Slot::kRopeLongFactors:
      return {{s.ropes.front().rotary_dim / 2}, ShardAxis::kNone, true, false};
    case Slot::kFinalNorm:
      return {{hidden}};
    case Slot::kAttentionNorm:
    case Slot::kMlpNorm:
      return {{hidden}, ShardAxis::kNone, s.norm_placement != NormPlacement::kPost};
    case Slot::kAttentionPostNorm:
    case Slot::kMlpPostNorm:
      return {{hidden}, ShardAxis::kNone, s.norm_placement != NormPlacement::kPre};
    default:
      break;
  }
  if (slot < Slot::kGate) return AttentionShape(slot, s);
  if (slot >= Slot::kQueryDown && slot <= Slot::kValueUp) return LatentShape(slot, s);
  const bool sparse =
      s.layers[static_cast<size_t>(layer)].feed_forward == FeedForwardKind::kExperts;
  SlotShape shape = slot < Slot::kQueryDown ? DenseShape(slot, s) : ExpertShape(slot, s);
  shape.present = shape.present && sparse == (slot > Slot::kQueryDown);
  return shape;
}

bool IsNorm(WeightSlot slot) {
  switch (slot) {
    case Slot::kFinalNorm:
    case Slot::kAttentionNorm:
    case Slot::kAttentionPostNorm:
    case Slot::kMlpNorm:
    case Slot::kMlpPostNorm:
    case Slot::kQueryNorm:
    case Slot::kKeyNorm:
    case Slot::kQueryLatentNorm:
    case Slot::kLatentNorm:
      return true;
    default:
      return false;
  }
}

TurningRows TurningOf(WeightSlot slot, const DecoderSpec& s) {
  const LatentSpec& latent = s.latent;
  if (s.attention == AttentionKind::kLatent) {
    if (slot == Slot::kQuery || slot == Slot::kQueryUp) {
      return {s.head_dim, latent.plain_dim, latent.rotary_dim};
    }
    if (slot != Slot::kLatentDown) return {};
    return {latent.kv_rank + latent.rotary_dim, latent.kv_rank, latent.rotary_dim};
  }
  switch (slot) {
    case Slot::kQuery:
    case Slot::kKey:
    case Slot::kQueryBias:
    case Slot::kKeyBias:
    case Slot::kQueryNorm:
    case Slot::kKeyNorm:
      return {s.head_dim, 0, s.ropes.front().rotary_dim};
    default:
      return {};
  }
}

int32_t ItemCountOf(WeightSlot slot, const DecoderSpec& spec) {
  if (IsExpertSlot(slot)) return spec.moe.routing.expert_count;
  return IsHeadSlot(slot) ? spec.head_count : 1;
}

void PlaceInTensor(const WeightPattern& pattern, const DecoderSpec& spec, WeightRow& row) {
  const bool columns = pattern.stacking == Stacking::kColumns;
  FusedRows rows{row.shape.dim(0), 0};
  if (pattern.fusion == Fusion::kFused) rows = FusedRowsOf(row.slot, spec);
  if (pattern.fusion == Fusion::kInTurn) {
    const FusedRows fused = FusedRowsOf(row.slot, spec);
    rows = {fused.total, fused.above > 0 ? 1 : 0};
    row.row_step = 2;
  }
  row.stacking = pattern.stacking;
  row.first_row = rows.above;
  if (row.stacking == Stacking::kNone) {
    row.tensor_shape =
        row.shape.rank() == 1 ? Shape({rows.total}) : Shape({rows.total, row.shape.dim(1)});
    return;
  }
  row.item_count = ItemCountOf(row.slot, spec);
  row.item_rows = columns ? row.shape.dim(1) : rows.total;
  if (IsHeadSlot(row.slot) && pattern.fusion == Fusion::kFused) {  // heads are not a dimension
    row.item_rows = rows.total;
    row.tensor_shape = {row.item_count * rows.total, spec.latent.kv_rank};
    return;
  }
  row.tensor_shape = StackShape(row, rows.total);
}

}  // namespace baton::worker
