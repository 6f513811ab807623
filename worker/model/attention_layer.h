// The attention sublayer: queries, keys and values from one product, norms of queries and keys,
// rotary positions, the cache, grouped attention with window, soft cap and sinks, and the product
// that leads back. One object serves every layer of a decoder; a layer's weights come with the
// call.
//
// A layer is Project, then Run. Where norms of queries and keys span heads of all ranks, the ranks
// add up SquareSums() in between.
//
// Threading: Prepare by one thread outside of a region; Turn, Project and Run by every thread of a
//            region.
// Ownership: owns the activations of the step under way.
// Errors:    RESOURCE_EXHAUSTED from Prepare without memory.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/kv_storage/kv_storage.h"
#include "worker/model/decoder_spec.h"
#include "worker/model/kv_placement.h"
#include "worker/model/step.h"
#include "worker/model/weight_packer.h"
#include "worker/ops/attention.h"
#include "worker/ops/packed_linear.h"
#include "worker/parallel/shard.h"

namespace baton::worker {

struct AttentionWeights {
  PackedLinear qkv;
  std::vector<float> q_norm;  // empty: none; a head's, or the whole projection's
  std::vector<float> k_norm;
  std::vector<float> sinks;  // empty: none; one for each head
  PackedLinear out;

  uint64_t size_bytes() const { return qkv.size_bytes() + out.size_bytes(); }
};

absl::StatusOr<AttentionWeights> PackAttention(WeightPacker& packer, int32_t layer);

class AttentionLayer {
 public:
  // `frequencies`: of each of the spec's ropes. Spec and placement outlive the layer.
  AttentionLayer(const DecoderSpec& spec, const KvPlacement& placement, Shard shard, DType compute,
                 std::vector<std::vector<float>> frequencies);

  absl::Status Prepare(const DecoderBatch& batch, const KvLayout& layout, int thread_count);

  // The step's rotary angles, before the first Run; the Sync after it is the caller's.
  void Turn(const DecoderBatch& batch, const ComputeSlice& slice);

  // Queries, keys and values of `x`. Ends with a Sync.
  void Project(const ConstMatrix& x, int32_t layer, const AttentionWeights& weights,
               const ActivationTap& tap, const ComputeSlice& slice);

  // What ranks add up between Project and Run; empty if nothing.
  absl::Span<float> SquareSums();

  // The rest. Ends with a Sync.
  void Run(const SublayerIo& io, const DecoderBatch& batch, int32_t layer,
           const AttentionWeights& weights, const KvLayerView& cache, const ActivationTap& tap,
           const ComputeSlice& slice);

 private:
  Matrix Queries() const { return qkv_.Cols(0, q_.cols()); }
  Matrix Keys() const { return qkv_.Cols(q_.cols(), (qkv_.cols() - q_.cols()) / 2); }
  void NormProjections(const AttentionWeights& weights, const ComputeSlice& slice);

  // Constant after construction.
  const DecoderSpec& spec_;
  const KvPlacement& placement_;
  const Shard shard_;
  const DType compute_;
  const std::vector<std::vector<float>> frequencies_;

  // Of the step under way.
  std::vector<AttentionPlan> plans_;  // of each table of the cache
  std::vector<Matrix> cos_sin_;       // f32, of each rope
  Matrix qkv_;                        // f32
  Matrix square_sums_;  // f32 [2, rows]: of queries, of keys; empty unless ranks exchange them
  Matrix q_;            // compute type
  Matrix attended_;     // compute type
  std::vector<Scratch> cos_sin_memory_;
  Scratch qkv_memory_, square_sums_memory_, q_memory_, attended_memory_;
};

}  // namespace baton::worker
