#include "worker/model/slot_shapes.h"

#include <gtest/gtest.h>

namespace baton::worker {
namespace {

using Slot = WeightSlot;

// Four heads of 32 over two of keys, 48 wide, experts in the second layer.
DecoderSpec Grouped() {
  DecoderSpec spec;
  spec.vocab_size = 100;
  spec.hidden_size = 48;
  spec.intermediate_size = 80;
  EXPECT_TRUE(SetLayerCount(2, spec).ok());
  spec.head_count = 4;
  spec.kv_head_count = 2;
  spec.head_dim = 32;
  spec.ropes.front().rotary_dim = 16;
  spec.layers[1].feed_forward = FeedForwardKind::kExperts;
  spec.moe.routing.expert_count = 6;
  spec.moe.expert_size = 20;
  return spec;
}

DecoderSpec Latent() {
  DecoderSpec spec = Grouped();
  spec.attention = AttentionKind::kLatent;
  spec.kv_head_count = 4;
  spec.latent = {.q_rank = 24, .kv_rank = 40, .plain_dim = 20, .rotary_dim = 12, .value_dim = 16};
  return spec;
}

TEST(SlotShapes, ProjectionsAreCutByHeads) {
  const DecoderSpec spec = Grouped();
  const SlotShape q = ShapeOf(Slot::kQuery, spec, 0);
  EXPECT_EQ(q.shape, (Shape{128, 48}));
  EXPECT_EQ(q.axis, ShardAxis::kOutputs);
  EXPECT_EQ(ShapeOf(Slot::kValue, spec, 0).shape, (Shape{64, 48}));
  const SlotShape out = ShapeOf(Slot::kAttentionOut, spec, 0);
  EXPECT_EQ(out.shape, (Shape{48, 128}));
  EXPECT_EQ(out.axis, ShardAxis::kInputs);
  EXPECT_FALSE(ShapeOf(Slot::kQueryBias, spec, 0).present);
}

TEST(SlotShapes, NormsOfQueriesAreAHeadsOrTheWholeProjections) {
  DecoderSpec spec = Grouped();
  EXPECT_FALSE(ShapeOf(Slot::kQueryNorm, spec, 0).present);
  spec.qk_norm = QkNorm::kPerHead;
  EXPECT_EQ(ShapeOf(Slot::kQueryNorm, spec, 0).shape, (Shape{32}));
  EXPECT_EQ(ShapeOf(Slot::kQueryNorm, spec, 0).axis, ShardAxis::kNone);
  spec.qk_norm = QkNorm::kWholeProjection;
  EXPECT_EQ(ShapeOf(Slot::kQueryNorm, spec, 0).shape, (Shape{128}));
  EXPECT_EQ(ShapeOf(Slot::kKeyNorm, spec, 0).shape, (Shape{64}));
  EXPECT_EQ(ShapeOf(Slot::kKeyNorm, spec, 0).axis, ShardAxis::kKvHeads);
}

TEST(SlotShapes, ALayerHasADenseFeedForwardOrExperts) {
  const DecoderSpec spec = Grouped();
  EXPECT_TRUE(ShapeOf(Slot::kGate, spec, 0).present);
  EXPECT_FALSE(ShapeOf(Slot::kExpertGate, spec, 0).present);
  EXPECT_FALSE(ShapeOf(Slot::kGate, spec, 1).present);
  EXPECT_EQ(ShapeOf(Slot::kExpertGate, spec, 1).shape, (Shape{20, 48}));
  EXPECT_EQ(ShapeOf(Slot::kExpertDown, spec, 1).axis, ShardAxis::kInputs);
  EXPECT_EQ(ShapeOf(Slot::kRouter, spec, 1).shape, (Shape{6, 48}));
  EXPECT_EQ(ShapeOf(Slot::kRouter, spec, 1).axis, ShardAxis::kNone);
  EXPECT_FALSE(ShapeOf(Slot::kSharedGate, spec, 1).present);
  EXPECT_EQ(ItemCountOf(Slot::kExpertDown, spec), 6);
  EXPECT_EQ(ItemCountOf(Slot::kDown, spec), 1);
}

TEST(SlotShapes, LatentAttentionHasKeysAndValuesOfEachHead) {
  DecoderSpec spec = Latent();
  EXPECT_FALSE(ShapeOf(Slot::kKey, spec, 0).present);
  EXPECT_FALSE(ShapeOf(Slot::kQuery, spec, 0).present);
  EXPECT_EQ(ShapeOf(Slot::kQueryUp, spec, 0).shape, (Shape{128, 24}));
  EXPECT_EQ(ShapeOf(Slot::kLatentDown, spec, 0).shape, (Shape{52, 48}));
  EXPECT_EQ(ShapeOf(Slot::kKeyUp, spec, 0).shape, (Shape{40, 20}));
  EXPECT_EQ(ShapeOf(Slot::kValueUp, spec, 0).shape, (Shape{16, 40}));
  EXPECT_EQ(ShapeOf(Slot::kAttentionOut, spec, 0).shape, (Shape{48, 64}));
  EXPECT_EQ(ItemCountOf(Slot::kKeyUp, spec), 4);
  spec.latent.q_rank = 0;
  EXPECT_TRUE(ShapeOf(Slot::kQuery, spec, 0).present);
  EXPECT_FALSE(ShapeOf(Slot::kQueryUp, spec, 0).present);
}

TEST(SlotShapes, RowsThatTurn) {
  const TurningRows q = TurningOf(Slot::kQuery, Grouped());
  EXPECT_EQ(q.head_dim, 32);
  EXPECT_EQ(q.begin, 0);
  EXPECT_EQ(q.dims, 16);
  EXPECT_EQ(TurningOf(Slot::kValue, Grouped()).dims, 0);
  const TurningRows down = TurningOf(Slot::kLatentDown, Latent());
  EXPECT_EQ(down.head_dim, 52);
  EXPECT_EQ(down.begin, 40);
  EXPECT_EQ(down.dims, 12);
  EXPECT_EQ(TurningOf(Slot::kQueryUp, Latent()).begin, 20);
}

WeightRow Placed(Slot slot, const DecoderSpec& spec, int32_t layer, Fusion fusion,
                 Stacking stacking) {
  WeightRow row;
  row.slot = slot;
  row.layer = layer;
  row.shape = ShapeOf(slot, spec, layer).shape;
  WeightPattern pattern{slot, "", ""};
  pattern.fusion = fusion;
  pattern.stacking = stacking;
  PlaceInTensor(pattern, spec, row);
  return row;
}

TEST(PlaceInTensor, FusedProjectionsLieBelowEachOther) {
  const DecoderSpec spec = Grouped();
  EXPECT_EQ(Placed(Slot::kQuery, spec, 0, Fusion::kAlone, Stacking::kNone).tensor_shape,
            (Shape{128, 48}));
  const WeightRow value = Placed(Slot::kValue, spec, 0, Fusion::kFused, Stacking::kNone);
  EXPECT_EQ(value.tensor_shape, (Shape{256, 48}));
  EXPECT_EQ(value.first_row, 192);
  EXPECT_EQ(value.row_step, 1);
  const WeightRow up = Placed(Slot::kUp, spec, 0, Fusion::kFused, Stacking::kNone);
  EXPECT_EQ(up.tensor_shape, (Shape{160, 48}));
  EXPECT_EQ(up.first_row, 80);
}

TEST(PlaceInTensor, StackedExpertsAreADimension) {
  const DecoderSpec spec = Grouped();
  const WeightRow up = Placed(Slot::kExpertUp, spec, 1, Fusion::kFused, Stacking::kRows);
  EXPECT_EQ(up.tensor_shape, (Shape{6, 40, 48}));
  EXPECT_EQ(up.item_count, 6);
  EXPECT_EQ(up.item_rows, 40);
  EXPECT_EQ(up.first_row, 20);
  const WeightRow turned = Placed(Slot::kExpertUp, spec, 1, Fusion::kInTurn, Stacking::kColumns);
  EXPECT_EQ(turned.tensor_shape, (Shape{6, 48, 40}));
  EXPECT_EQ(turned.item_rows, 48);
  EXPECT_EQ(turned.first_row, 1);
  EXPECT_EQ(turned.row_step, 2);
}

TEST(PlaceInTensor, Mxfp4HasBlocksOf32) {
  DecoderSpec spec = Grouped();
  spec.hidden_size = 64;
  EXPECT_EQ(Placed(Slot::kExpertGate, spec, 1, Fusion::kInTurn, Stacking::kMxfp4).tensor_shape,
            (Shape{6, 40, 2, 16}));
}

TEST(PlaceInTensor, KeysAndValuesOfAHeadShareATensor) {
  const DecoderSpec spec = Latent();
  const WeightRow value = Placed(Slot::kValueUp, spec, 0, Fusion::kFused, Stacking::kRows);
  EXPECT_EQ(value.tensor_shape, (Shape{4 * 36, 40}));
  EXPECT_EQ(value.item_rows, 36);
  EXPECT_EQ(value.first_row, 20);
}

}  // namespace
}  // namespace baton::worker
