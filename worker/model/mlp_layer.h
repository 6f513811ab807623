// The dense feed-forward sublayer: down(act(gate x) * (up x)). One object serves every layer of a
// decoder; a layer's weights come with the call.
//
// Threading: Prepare by one thread outside of a region; Run by every thread of a region.
// Ownership: owns the activations of the step under way.
// Errors:    RESOURCE_EXHAUSTED from Prepare without memory.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "worker/model/decoder_spec.h"
#include "worker/model/step.h"
#include "worker/model/weight_packer.h"
#include "worker/ops/packed_linear.h"
#include "worker/parallel/shard.h"

namespace baton::worker {

struct MlpWeights {
  PackedLinear gate_up;
  PackedLinear down;

  uint64_t size_bytes() const { return gate_up.size_bytes() + down.size_bytes(); }
};

absl::StatusOr<MlpWeights> PackMlp(WeightPacker& packer, int32_t layer);

class MlpLayer {
 public:
  MlpLayer(const DecoderSpec& spec, Shard shard, DType compute)
      : spec_(spec), shard_(shard), compute_(compute) {}

  absl::Status Prepare(const DecoderBatch& batch);

  // Ends with a Sync.
  void Run(const SublayerIo& io, int32_t layer, const MlpWeights& weights, const ActivationTap& tap,
           const ComputeSlice& slice);

 private:
  // Constant after construction.
  const DecoderSpec& spec_;
  const Shard shard_;
  const DType compute_;

  // Of the step under way.
  Matrix inner_;  // compute type
  Scratch inner_memory_;
};

}  // namespace baton::worker
