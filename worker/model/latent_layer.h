// The attention sublayer of DeepSeek V2 and V3: queries and keys come from latents, and the cache
// keeps a latent and a turned key for each token, shared by all heads. The way from latents to keys
// and values is absorbed into queries and outputs, also in prefill:
//
//   [qa | kv] = x W_down;  q = norm(qa) W_up of each head [n | r];  [c | k] = [norm(kv) | turned]
//   out = (softmax(scale ((n W_key) C^T + r K^T)) C) W_value, of all heads, times W_out
//
// One object serves every layer of a decoder; a layer's weights come with the call. On several
// ranks each has some of the heads, and all of the latents.
//
// Threading: Prepare by one thread outside of a region; Turn and Run by every thread of a region.
// Ownership: owns the activations of the step under way.
// Errors:    RESOURCE_EXHAUSTED from Prepare without memory.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/kv_storage/kv_storage.h"
#include "worker/model/decoder_spec.h"
#include "worker/model/step.h"
#include "worker/model/weight_packer.h"
#include "worker/ops/attention.h"
#include "worker/ops/linear.h"
#include "worker/ops/packed_linear.h"
#include "worker/parallel/shard.h"

namespace baton::worker {

struct LatentWeights {
  PackedLinear down;          // to the latents of queries, or to queries, and of keys and values
  std::vector<float> q_norm;  // of the queries' latents
  std::optional<PackedLinear> q_up;  // empty: `down` gives queries
  std::vector<float> kv_norm;
  std::vector<PackedLinear> key_up;    // of each head: from a query's plain part to the latent
  std::vector<PackedLinear> value_up;  // of each head: from the latent to its value
  PackedLinear out;

  uint64_t size_bytes() const;
};

absl::StatusOr<LatentWeights> PackLatent(WeightPacker& packer, int32_t layer);

class LatentLayer {
 public:
  // `frequencies`: of the spec's rope.
  LatentLayer(const DecoderSpec& spec, Shard shard, DType compute, std::vector<float> frequencies);

  absl::Status Prepare(const DecoderBatch& batch, const KvLayout& layout, int thread_count);

  // The step's rotary angles, before the first Run; the Sync after it is the caller's.
  void Turn(const DecoderBatch& batch, const ComputeSlice& slice);

  // Ends with a Sync.
  void Run(const SublayerIo& io, const DecoderBatch& batch, int32_t layer,
           const LatentWeights& weights, const KvLayerView& cache, const ActivationTap& tap,
           const ComputeSlice& slice);

 private:
  // By one thread: lists the heads' products before and behind the attention.
  void ListProducts(const LatentWeights& weights);
  // Queries, f32; the product that gives them is complete behind a Sync.
  ConstMatrix MakeQueries(const LatentWeights& weights, const ComputeSlice& slice);

  // Constant after construction.
  const DecoderSpec& spec_;
  const DType compute_;
  const int32_t heads_;  // of this shard
  const std::vector<float> frequencies_;

  // Of the step under way.
  AttentionPlan plan_;
  Matrix cos_sin_;   // f32
  Matrix down_;      // f32: latents of queries, or queries; and of keys and values
  Matrix q_latent_;  // compute type: normed
  Matrix queries_;   // f32
  Matrix plain_;     // compute type: the parts of queries that do not turn
  Matrix q_;         // f32: absorbed queries
  Matrix mixed_;     // compute type: sums of latents
  Matrix attended_;  // compute type
  std::vector<LinearArgs> key_products_;
  std::vector<LinearArgs> value_products_;
  Scratch cos_sin_memory_, down_memory_, q_latent_memory_, queries_memory_, plain_memory_,
      q_memory_, mixed_memory_, attended_memory_;
};

}  // namespace baton::worker
