// What follows from a slot and a model's spec alone: shapes, shard axes, places in shared tensors.
//
// Threading: pure functions.
#pragma once

#include <cstdint>

#include "worker/model/decoder_spec.h"
#include "worker/model/weight_plan.h"
#include "worker/tensor/shape.h"

namespace baton::worker {

struct SlotShape {
  Shape shape;
  ShardAxis axis = ShardAxis::kNone;
  bool present = true;   // in a model of this spec, in this layer
  bool required = true;  // a model of this spec cannot do without
};

// `layer` is -1 for slots that belong to none.
SlotShape ShapeOf(WeightSlot slot, const DecoderSpec& spec, int32_t layer);

bool IsNorm(WeightSlot slot);

// dims = 0 for slots whose rows do not turn.
TurningRows TurningOf(WeightSlot slot, const DecoderSpec& spec);

// Experts or heads that have a weight each in this slot; 1 for all other slots.
int32_t ItemCountOf(WeightSlot slot, const DecoderSpec& spec);

// Sets where a weight of row.slot and row.shape lies in the tensor that `pattern` names.
void PlaceInTensor(const WeightPattern& pattern, const DecoderSpec& spec, WeightRow& row);

}  // namespace baton::worker
