// The feed-forward sublayer with experts: a router sends each row to a few of them, and their
// answers are weighed and summed; shared experts answer every row. One object serves every layer of
// a decoder; a layer's weights come with the call.
//
// On several ranks each holds some columns of every expert, as of a dense layer: all route alike.
//
// Threading: Prepare by one thread outside of a region; Run by every thread of a region.
// Ownership: owns the activations of the step under way.
// Errors:    RESOURCE_EXHAUSTED from Prepare without memory.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/decoder_spec.h"
#include "worker/model/step.h"
#include "worker/model/weight_packer.h"
#include "worker/ops/linear.h"
#include "worker/ops/moe_dispatch.h"
#include "worker/ops/packed_linear.h"
#include "worker/parallel/shard.h"

namespace baton::worker {

struct MoeWeights {
  PackedLinear router;
  std::vector<float> correction;      // empty: none; of the router's choice
  std::vector<PackedLinear> gate_up;  // of each expert
  std::vector<PackedLinear> down;
  std::optional<PackedLinear> shared_gate_up;  // of the shared experts, as one
  std::optional<PackedLinear> shared_down;

  uint64_t size_bytes() const;
};

absl::StatusOr<MoeWeights> PackMoe(WeightPacker& packer, int32_t layer);

class MoeLayer {
 public:
  MoeLayer(const DecoderSpec& spec, Shard shard, DType compute)
      : spec_(spec), shard_(shard), compute_(compute) {}

  absl::Status Prepare(const DecoderBatch& batch);

  // Ends with a Sync.
  void Run(const SublayerIo& io, int32_t layer, const MoeWeights& weights, const ActivationTap& tap,
           const ComputeSlice& slice);

 private:
  // By one thread: sorts the rows that the router has sent, and lists the experts' products.
  void Dispatch(const SublayerIo& io, const MoeWeights& weights);
  void AddShared(const SublayerIo& io, const MoeWeights& weights);

  // Constant after construction.
  const DecoderSpec& spec_;
  const Shard shard_;
  const DType compute_;

  // Of the step under way; a (row, choice) pair is a place.
  Matrix logits_;        // f32 [M, experts]
  Matrix sent_;          // compute type [places, hidden]
  Matrix inner_;         // compute type [places, columns of an expert]
  Matrix answers_;       // f32 [places, hidden]
  Matrix shared_inner_;  // compute type [M, columns]
  std::vector<int32_t> experts_;
  std::vector<float> expert_weights_;
  MoeDispatch dispatch_;
  std::vector<LinearArgs> gate_up_products_;
  std::vector<LinearArgs> down_products_;
  Scratch logits_memory_, sent_memory_, inner_memory_, answers_memory_, shared_memory_;
};

}  // namespace baton::worker
