#include "worker/model/mlp_layer.h"

#include "common/base/status_macros.h"
#include "worker/ops/linear.h"

namespace baton::worker {

using Slot = WeightSlot;

absl::StatusOr<MlpWeights> PackMlp(WeightPacker& packer, int32_t layer) {
  MlpWeights weights;
  ASSIGN_OR_RETURN(weights.gate_up,
                   packer.Pack({{Slot::kGate, Slot::kGateBias}, {Slot::kUp, Slot::kUpBias}},
                               LinearKind::kGated, layer));
  ASSIGN_OR_RETURN(weights.down,
                   packer.Pack({{Slot::kDown, Slot::kDownBias}}, LinearKind::kPlain, layer));
  return weights;
}

absl::Status MlpLayer::Prepare(const DecoderBatch& batch) {
  ASSIGN_OR_RETURN(inner_, inner_memory_.Take(compute_, static_cast<int64_t>(batch.tokens.size()),
                                              spec_.intermediate_size / shard_.size));
  return absl::OkStatus();
}

void MlpLayer::Run(const SublayerIo& io, int32_t layer, const MlpWeights& weights,
                   const ActivationTap& tap, const ComputeSlice& slice) {
  Linear({.x = io.x, .weights = &weights.gate_up, .out = inner_, .activation = spec_.activation},
         slice);
  slice.Sync();
  Show(tap, layer, "inner", inner_, slice);
  Linear({.x = inner_,
          .weights = &weights.down,
          .out = io.out,
          .residual = io.residual,
          .scale = io.scale},
         slice);
  slice.Sync();
}

}  // namespace baton::worker
